// Package redisstore keeps sessions in Redis (6.2 and later) or Valkey, for replicas of a service that share them.
//
//	rdb := redis.NewClient(&redis.Options{Addr: "redis:6379"})
//	store, err := redisstore.New(redisstore.Config{Client: rdb})
//	...
//	defer store.Close()
//	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Store: store})
//
// Records are encrypted, here with the key in the environment variable SILENTREFRESH_KEY.
//
// One replica at a time renews a session, under a lease that it renews while it works; the others are woken when
// it is done. But the lease only saves work. What keeps a session whole is that every save is a compare-and-set: a
// replica that was paused beyond its lease, or cut off, cannot overwrite what another saved meanwhile.
//
// What Redis lost (a restart without its last second, a replica promoted before it had caught up) is put back from
// the memory of any Store that has seen it: see Loss. So a record cannot be removed behind the back of running
// replicas, only by logging out.
package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/silentrefresh/silentrefresh/internal/lease"
	"github.com/silentrefresh/silentrefresh/internal/update"
	"github.com/silentrefresh/silentrefresh/seal"
)

// Config says where and how sessions are kept. Only Client is required.
type Config struct {
	// Client reaches Redis: a *redis.Client, a Sentinel client or a *redis.ClusterClient, with whatever options
	// for TLS and users it has. The Store does not close it.
	Client redis.UniversalClient
	// Keys are where keys are; nil: in the environment variable EnvKey, which must be set, and SILENTREFRESH_KEY_OLD, which
	// need not. All replicas need the same. Each save encrypts with the first that is available, and the others still open what
	// was saved with them. So a key is changed in three deployments: the new one last, the new one first, the old one gone.
	Keys []seal.Key
	// Namespace is what the names of all keys and of the channel begin with, followed by a colon;
	// "": silentrefresh. Stores with different namespaces see nothing of each other.
	Namespace string
	// Lease is how long a replica that died or was cut off keeps the others from renewing its session; 0: 10 s.
	// A replica at work renews its lease three times in that time. At least 100 ms.
	Lease time.Duration
	// Lost is told that Redis had lost a save; nil: log/slog's default logger is. It must not block.
	Lost func(Loss)
}

// EnvKey is the environment variable with the key, unless Config.Keys says otherwise.
const EnvKey = "SILENTREFRESH_KEY"

var envKey = seal.KeyEnv(EnvKey)

const (
	defaultNamespace = "silentrefresh"
	defaultLease     = 10 * time.Second
	leastLease       = 100 * time.Millisecond
	// pollEvery is how often a waiter looks whether the lock is free although nothing woke it.
	pollEvery = 500 * time.Millisecond
	// saveWithin bounds a save, which the end of the caller's context does not cut short.
	saveWithin = 10 * time.Second
)

// A Store keeps sessions in Redis. It implements silentrefresh.Store and is safe for concurrent use. Make one a
// process with New: a Store has one connection to Redis of its own, on which it listens, and remembers the newest
// record that it has seen of each session, encrypted as it is, to put it back if Redis loses it. That takes 1 to 3 KB
// of memory for each session that this Store has ever used, until the Store is dropped.
type Store struct {
	rdb       redis.UniversalClient
	ring      *seal.Ring
	namespace string
	lease     time.Duration
	poll      time.Duration
	lost      func(Loss)
	waiters   lease.Waiters
	memory    memory
	listener  *listener
}

// New checks c and returns a Store. It does not call Redis. Without Config.Keys it fails unless there is a key in the
// environment variable EnvKey: what can't be encrypted can't be saved.
func New(c Config) (*Store, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Keys == nil {
		c.Keys = seal.KeysEnv(EnvKey)
	}
	s := &Store{
		rdb: c.Client, ring: seal.NewRing(c.Keys, nil),
		namespace: c.Namespace, lease: c.Lease, poll: pollEvery, lost: c.Lost,
	}
	if s.namespace == "" {
		s.namespace = defaultNamespace
	}
	if s.lease == 0 {
		s.lease = defaultLease
	}
	if s.lost == nil {
		s.lost = logLoss
	}
	s.listener = &listener{rdb: s.rdb, channel: s.namespace + ":free", woken: s.waiters.Wake, back: s.verify}
	return s, nil
}

func (c Config) check() error {
	var wrong []error
	if c.Client == nil {
		wrong = append(wrong, errors.New("Client is missing: set it to what redis.NewClient or redis.NewUniversalClient returns"))
	}
	if c.Keys != nil && len(c.Keys) == 0 {
		wrong = append(wrong, fmt.Errorf("Keys is empty: name a key, or leave it nil for the one in the environment variable %s", EnvKey))
	}
	if c.Keys == nil {
		if _, err := envKey.Get(context.Background(), false); err != nil {
			wrong = append(wrong, fmt.Errorf("sessions can't be encrypted: %w; set it to what `openssl rand -base64 32` has printed once for all replicas, or name another key in Keys", err))
		}
	}
	if strings.ContainsAny(c.Namespace, "{}") {
		wrong = append(wrong, errors.New("Namespace contains a brace, which Redis Cluster gives a meaning: leave it out"))
	}
	if c.Lease != 0 && c.Lease < leastLease {
		wrong = append(wrong, fmt.Errorf("Lease is %v: set it to %v or more, or to 0 for %v", c.Lease, leastLease, defaultLease))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("redisstore: %w", errors.Join(wrong...))
	}
	return nil
}

// WhenFree calls call, never twice at a time, whenever key's lock was set free, as far as Redis tells it here, until forget is called. See
// silentrefresh.Store.
func (s *Store) WhenFree(key string, call func()) (forget func()) {
	s.listener.start()
	return s.waiters.Call(s.names(key).tag, call)
}

// Close stops listening. It does not close Config.Client. A closed Store still works; its waiters poll.
func (s *Store) Close() error {
	s.listener.close()
	return nil
}

// names are what a session's keys in Redis are called. The braces make them fall into one slot of a cluster, and
// what stands in them is never empty and has no brace of its own.
type names struct{ tag, record, lock string }

func (s *Store) names(key string) names {
	tag := s.namespace + ":{session=" + url.QueryEscape(key) + "}"
	return names{tag: tag, record: tag + ":record", lock: tag + ":lock"}
}

// Load returns the record saved last under key: nil if there never was one, empty but not nil after a logout. It
// asks Redis each time and waits for no lock.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.listener.start()
	found, err := s.look(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("redisstore: read the session from Redis: %w", err)
	}
	_, content, err := s.newest(ctx, key, found)
	if err != nil {
		return nil, fmt.Errorf("redisstore: read the session from Redis: %w", err)
	}
	return content, nil
}

// Update holds key's lock in Redis around fn, as silentrefresh.Store wants it. It waits for the lock until ctx
// ends, but does not wait for Redis: where Redis cannot be reached, it fails once Config.Client gives up.
//
// The context of fn ends when the lease is lost, with a cause that says why. save works on even then, as it does
// after the end of ctx: it writes only where nobody else has written since old was read.
func (s *Store) Update(ctx context.Context, key string, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.listener.start()
	l, found, err := s.acquire(ctx, key)
	if err != nil {
		return fmt.Errorf("redisstore: lock the session in Redis: %w", err)
	}
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer l.Keep(held, cancel)() // released before held ends
	is, old, err := s.newest(held, key, found)
	if err != nil {
		return fmt.Errorf("redisstore: read the session from Redis: %w", err)
	}
	sealer, err := s.ring.New(held)
	if err != nil { // nothing should be begun that could not be saved
		return fmt.Errorf("redisstore: encrypt the session: %w", err)
	}
	w := &writer{store: s, sealer: sealer, ctx: context.WithoutCancel(ctx), key: key, last: is.stamp}
	return update.Call(held, old, w.save, fn)
}

// A writer saves for one call of Update.
type writer struct {
	store  *Store
	sealer *seal.Sealer
	ctx    context.Context
	key    string
	last   stamp    // of what was read or saved
	maybe  []string // the ids of what may have been saved since
}

func (w *writer) save(b []byte) error {
	ctx, cancel := context.WithTimeout(w.ctx, saveWithin)
	defer cancel()
	next := w.last.next(rand.Text(), w.maybe)
	data, err := w.sealer.Seal(w.key, next.wrap(b))
	if err != nil {
		return fmt.Errorf("redisstore: encrypt the session: %w", err)
	}
	r := revision{id: next.id, data: string(data)}
	outcome, err := w.store.compareAndSet(ctx, w.key, r, append([]string{w.last.id}, w.maybe...)...)
	if err != nil {
		w.maybe = append(w.maybe, r.id) // it may have been written all the same
		return fmt.Errorf("redisstore: save the session in Redis: %w", err)
	}
	if outcome == conflicted {
		return conflict{}
	}
	w.last, w.maybe = next, nil
	w.store.memory.keep(w.key, known{revision: r, stamp: next, mine: true})
	return nil
}

// conflict is the error of a save that met a record changed by somebody else.
type conflict struct{}

func (conflict) Error() string {
	return "redisstore: the session was changed by another process since it was read; nothing was saved; read it again"
}

// Conflict tells a lost race from a failure.
func (conflict) Conflict() bool { return true }
