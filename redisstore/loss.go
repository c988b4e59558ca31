package redisstore

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Loss tells that Redis had gone back to an older record of a session, or to none, and that the newest that this
// Store has seen was put back. It means that Redis does not keep what it has confirmed: see "What Redis has to
// keep" in the README. Had no Store seen the newest, its credential would be lost.
type Loss struct {
	// Key is the session's key in the Store.
	Key string
	// Restored and Found are when the two records were saved, by Redis' clock; Found is zero if there was none.
	Restored, Found time.Time
}

func logLoss(l Loss) {
	slog.Warn("redisstore: Redis had lost a session's last save; it was put back", "key", l.Key, "saved", l.Restored, "found", l.Found)
}

// memory is the newest revision of each session that this Store has seen.
type memory struct {
	mu    sync.Mutex
	byKey map[string]remembered
}

type remembered struct {
	revision
	mine bool // this Store saved it
}

// keep remembers r unless it knows of a newer revision, which it returns.
func (m *memory) keep(key string, r revision, mine bool) (newer *revision) {
	m.mu.Lock()
	defer m.mu.Unlock()
	had := m.byKey[key]
	if had.version > r.version {
		return &had.revision
	}
	if had.id != r.id {
		if m.byKey == nil {
			m.byKey = map[string]remembered{}
		}
		m.byKey[key] = remembered{r, mine}
	}
	return nil
}

// mine returns what this Store saved and nobody, as far as it knows, has followed up.
func (m *memory) mine() map[string]revision {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]revision{}
	for key, r := range m.byKey {
		if r.mine {
			found[key] = r.revision
		}
	}
	return found
}

// newest compares what was found in Redis with what was seen there before. An older one than that is replaced.
func (s *Store) newest(ctx context.Context, key string, found revision) (revision, error) {
	for {
		had := s.memory.keep(key, found, false)
		if had == nil {
			return found, nil
		}
		version, wrote, err := s.compareAndSet(ctx, key, *had, found.id)
		if err != nil {
			return revision{}, err
		}
		if wrote {
			s.lost(Loss{Key: key, Restored: time.UnixMilli(had.version), Found: savedAt(found)})
		}
		if version != 0 {
			return *had, nil // put back, or found was read before our own last save
		}
		if found, err = s.look(ctx, key); err != nil {
			return revision{}, err
		}
	}
}

func savedAt(r revision) time.Time {
	if r.version == 0 {
		return time.Time{}
	}
	return time.UnixMilli(r.version)
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

func (s *Store) verifyBatch(ctx context.Context, mine map[string]revision, keys []string) {
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
		if cmds[i].Val() == mine[key].id {
			continue
		}
		if r, err := s.look(ctx, key); err == nil {
			_, _ = s.newest(ctx, key, r)
		}
	}
}
