package seal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// A KeyError says that the key of a record can't be had.
type KeyError struct {
	// Source is the source of the key, as the record names it.
	Source string
	// Err says why it can't be had.
	Err error
}

// Error names the key that is needed.
func (e *KeyError) Error() string { return "needs the key in " + e.Source + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// A Ring is the keys that a store has. It asks for a key when it is needed first, and keeps it, also after another one
// has come in its place. Methods are safe for concurrent use.
type Ring struct {
	keys    []*held
	seen    sync.Map // *Sealer by key id: all that any key ever was
	skipped func(skipped Key, why error, used Key)
}

// NewRing makes a Ring of keys in the order of preference. skipped, if not nil, is told of each key that was not
// available for a new record, and which key is used instead.
func NewRing(keys []Key, skipped func(skipped Key, why error, used Key)) *Ring {
	r := &Ring{skipped: skipped}
	for _, k := range keys {
		r.keys = append(r.keys, &held{Key: k, turn: make(chan struct{}, 1)})
	}
	return r
}

// Open decrypts the record kept under name. The Sealer that it returns has the key of this record, so that its
// successor is sealed with the same one, whatever other keys come and go. An empty content is not nil. The error
// is a *KeyError where the key can't be had.
func (r *Ring) Open(ctx context.Context, name string, sealed []byte) ([]byte, *Sealer, error) {
	p, err := parse(sealed)
	if err != nil {
		return nil, nil, err
	}
	s, err := r.find(ctx, p.Header)
	if err != nil {
		return nil, nil, &KeyError{Source: p.Source, Err: err}
	}
	content, err := s.open(p, name)
	return content, s, err
}

// New returns the Sealer for a new record: the first key that is available. The others are asked only where all
// before them are unavailable; any other error is returned.
func (r *Ring) New(ctx context.Context) (*Sealer, error) {
	var whys []error
	for _, k := range r.keys {
		s, err := k.get(ctx, true)
		switch {
		case err == nil:
			r.seen.Store(s.id, s)
			r.tell(whys, k)
			return s, nil
		case !errors.Is(err, ErrUnavailable):
			return nil, err
		}
		whys = append(whys, err)
	}
	return nil, fmt.Errorf("no key to encrypt with: %w", errors.Join(whys...))
}

func (r *Ring) tell(whys []error, used *held) {
	if r.skipped == nil {
		return
	}
	for i, why := range whys {
		r.skipped(r.keys[i].Key, why, used.Key)
	}
}

// First returns the Sealer with the first key, whether there are others or not.
func (r *Ring) First(ctx context.Context) (*Sealer, error) {
	if len(r.keys) == 0 {
		return nil, errors.New("there are no keys")
	}
	s, err := r.keys[0].get(ctx, true)
	if err == nil {
		r.seen.Store(s.id, s)
	}
	return s, err
}

// Opens reports whether s has the key of the record with this header.
func (s *Sealer) Opens(h Header) bool { return s.id == h.id }

// find returns the key that h names by its id, wherever it is. The source that h names is asked first, and others only
// where it does not have the key, because asking may bother a person: a folder was moved, or the place has a new key and the
// old one is kept elsewhere.
func (r *Ring) find(ctx context.Context, h Header) (*Sealer, error) {
	if s, ok := r.seen.Load(h.id); ok {
		return s.(*Sealer), nil
	}
	why := fmt.Errorf("this program has only the key in %s", strings.Join(r.sources(), " and the key in "))
	for _, k := range r.keys {
		if k.Source == h.Source {
			s, err := r.matching(ctx, k, h)
			if err == nil {
				return s, nil
			}
			why = err
		}
	}
	for _, k := range r.keys {
		if k.Source == h.Source {
			continue
		}
		if s, err := r.matching(ctx, k, h); err == nil {
			return s, nil
		}
	}
	return nil, why
}

// matching returns the key in k if it is that of h. It asks even if the key is known: it may have been changed since.
func (r *Ring) matching(ctx context.Context, k *held, h Header) (*Sealer, error) {
	s, err := k.ask(ctx, false)
	if err != nil {
		return nil, err
	}
	r.seen.Store(s.id, s)
	if !s.Opens(h) {
		return nil, errors.New("the key that is there now is another one, and so are all others at hand")
	}
	return s, nil
}

func (r *Ring) sources() (all []string) {
	for _, k := range r.keys {
		all = append(all, k.Source)
	}
	return all
}

// held is a Key with what it gave.
type held struct {
	Key
	turn  chan struct{} // one call of Get at a time
	known atomic.Pointer[Sealer]
}

// get returns the key, asking for it once.
func (h *held) get(ctx context.Context, create bool) (*Sealer, error) {
	if s := h.known.Load(); s != nil {
		return s, nil
	}
	return h.ask(ctx, create)
}

func (h *held) ask(ctx context.Context, create bool) (*Sealer, error) {
	before := h.known.Load()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s := h.known.Load(); s != before { // somebody else has asked meanwhile
		return s, nil
	}
	key, err := h.Get(ctx, create)
	if err != nil {
		return nil, err
	}
	s, err := newSealer(h.Source, key)
	if err == nil {
		h.known.Store(s)
	}
	return s, err
}
