package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"

	"github.com/silentrefresh/silentrefresh/seal"
)

// A revision is a record as it stands in the database. The zero value is that of a session never saved.
type revision struct {
	version int64  // counts the saves
	id      string // drawn anew for each save, so that two with the same version are not taken for one another
	data    []byte // sealed
}

// stamp is what stands before the content inside the seal: data that is put into the row of another save, or a
// version that is changed, is noticed.
func (r revision) stamp() []byte { return fmt.Appendf(nil, "%d %s\n", r.version, r.id) }

var errMixed = errors.New("version, id and data are not of the same save; restore the row from a backup, or delete it and log in again")

// open decrypts r: nil for none, empty for a tombstone.
func (s *Store) open(ctx context.Context, key string, r revision) ([]byte, error) {
	if r.id == "" {
		return nil, nil
	}
	plain, _, err := s.ring.Open(ctx, key, r.data)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: decrypt the session: %w", err)
	}
	content, ok := bytes.CutPrefix(plain, r.stamp())
	if !ok {
		return nil, fmt.Errorf("sqlstore: read the session: %w", errMixed)
	}
	return content, nil
}

// longestName is that of a session in the database, whose index takes some 2,700 bytes.
const longestName = 1000

// nameOf is what key's session is called in the database: text that people can read, whatever bytes key has.
func nameOf(key string) string {
	if name := url.QueryEscape(key); len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:]) // no other name has a colon
}

// A writer saves for one call of Update.
type writer struct {
	store     *Store
	sealer    *seal.Sealer
	ctx       context.Context
	key, name string
	holder    string
	version   int64    // of the last save, whether it is known to have been written or not
	base      []string // the ids that the record may have: what was read or saved, then what may have been
}

func (w *writer) save(b []byte) error {
	ctx, cancel := context.WithTimeout(w.ctx, saveWithin)
	defer cancel()
	w.version++
	r := revision{version: w.version, id: rand.Text()}
	var err error
	if r.data, err = w.sealer.Seal(w.key, append(r.stamp(), b...)); err != nil {
		return fmt.Errorf("sqlstore: encrypt the session: %w", err)
	}
	wrote, err := w.store.compareAndSet(ctx, w.name, w.holder, r, w.base)
	if err != nil {
		w.base = append(w.base, r.id) // it may have been written all the same
		return fmt.Errorf("sqlstore: save the session in the database: %w", err)
	}
	if !wrote {
		return conflict{}
	}
	w.base = []string{r.id}
	return nil
}

// conflict is the error of a save that met a record changed by somebody else.
type conflict struct{}

func (conflict) Error() string {
	return "sqlstore: the session was changed by another process since it was read, or is being changed; nothing was saved; read it again"
}

// Conflict tells a lost race from a failure.
func (conflict) Conflict() bool { return true }
