package redisstore

import (
	"context"
	"log/slog"
	"sync"

	"github.com/redis/go-redis/v9"
)

// A Loss tells that Redis had gone back to an older record of a session, or to none, and that the newest that this
// Store has seen was put back. It means that Redis does not keep what it has confirmed: see "What Redis has to
// keep" in the README. Had no Store seen the newest, its credential would be lost.
type Loss struct {
	// Key is the session's key in the Store.
	Key string
	// Restored and Found count the saves of the session up to the record that was put back, and up to the one that Redis
	// had; Found is 0 if there was none.
	Restored, Found int64
}

func logLoss(l Loss) {
	slog.Warn("redisstore: Redis had lost a session's last save; it was put back", "key", l.Key, "save", l.Restored, "found", l.Found)
}

// memory is the newest revision of each session that this Store has seen.
type memory struct {
	mu    sync.Mutex
	byKey map[string]known
}

// known is a revision and what its seal says of it.
type known struct {
	revision
	stamp
	mine bool // this Store saved it, and nobody, as far as it knows, has followed it up
}

// keep remembers k as the newest.
func (m *memory) keep(key string, k known) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keepLocked(key, k)
}

func (m *memory) keepLocked(key string, k known) {
	if m.byKey == nil {
		m.byKey = map[string]known{}
	}
	m.byKey[key] = k
}

// compare remembers what was found unless it knows of a newer revision, which it returns. What is not sound is not
// remembered, but what it was before it was spoilt may be known here.
func (m *memory) compare(key string, found known, sound bool) (newer *known) {
	m.mu.Lock()
	defer m.mu.Unlock()
	had, ok := m.byKey[key]
	if ok && (had.follows(found.stamp) || !sound && had.stamp.id == found.stamp.id) {
		return &had
	}
	if sound && found.stamp.id != had.stamp.id {
		m.keepLocked(key, found)
	}
	return nil
}

// mine returns the ids of what this Store saved.
func (m *memory) mine() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]string{}
	for key, k := range m.byKey {
		if k.mine {
			found[key] = k.stamp.id
		}
	}
	return found
}

// newest opens what was found in Redis, and compares it with what was seen there before. What is older than that, or was made
// of something older, is replaced.
func (s *Store) newest(ctx context.Context, key string, found revision) (known, []byte, error) {
	for {
		st, content, err := s.open(ctx, key, found)
		if err != nil && err != errMixed {
			return known{}, nil, err
		}
		is := known{revision: found, stamp: st}
		had := s.memory.compare(key, is, err == nil)
		if had == nil {
			return is, content, err
		}
		outcome, err := s.compareAndSet(ctx, key, had.revision, found.id)
		if err != nil {
			return known{}, nil, err
		}
		if outcome == written {
			s.lost(Loss{Key: key, Restored: had.number, Found: st.number})
		}
		if outcome != conflicted { // put back, or found was read before our own last save
			_, content, err := s.open(ctx, key, had.revision)
			return *had, content, err
		}
		if found, err = s.look(ctx, key); err != nil {
			return known{}, nil, err
		}
	}
}

// batch is how many records are looked at in one round trip.
const batch = 500

// verify looks, after Redis has been away, whether what this Store saved is still there, and puts back what is not.
// Errors are left to the next use of the session.
func (s *Store) verify(ctx context.Context) {
	var keys []string
	mine := s.memory.mine()
	for key := range mine {
		if keys = append(keys, key); len(keys) == batch {
			s.verifyBatch(ctx, mine, keys)
			keys = keys[:0]
		}
	}
	s.verifyBatch(ctx, mine, keys)
}

func (s *Store) verifyBatch(ctx context.Context, mine map[string]string, keys []string) {
	if len(keys) == 0 {
		return
	}
	cmds := make([]*redis.StringCmd, len(keys))
	_, _ = s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			cmds[i] = p.HGet(ctx, s.names(key).record, "id")
		}
		return nil
	})
	for i, key := range keys {
		if cmds[i].Val() == mine[key] {
			continue
		}
		if r, err := s.look(ctx, key); err == nil {
			_, _, _ = s.newest(ctx, key, r)
		}
	}
}
