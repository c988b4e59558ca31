package silentrefresh

import (
	"context"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/update"
)

// A Store keeps sessions where other processes, or the next start of this one, find them. Its methods use only
// standard types, so an implementation need not import this package; package storetest checks one.
//
// A record is opaque bytes, mostly a few KiB, under a key, which may be any string. Implementations are safe for
// concurrent use, and copy what they are given and what they return: both sides may change their slices afterwards. A
// Store that is told when a lock is released may implement Waker as well.
type Store interface {
	// Load returns what was saved last under key, without waiting for any lock: nil if nothing was ever saved,
	// an empty slice that is not nil for a tombstone. A record that cannot be read is an error, never nil.
	Load(ctx context.Context, key string) ([]byte, error)

	// Update calls fn once while it holds key's lock, which excludes every other Update of key, in other processes
	// too, and returns only after fn has. Updates of other keys go on meanwhile. It waits for the lock until ctx ends.
	// old is what Load would return.
	//
	// save makes its argument the record, durably, before it returns; it may be called several times, and each
	// call counts on its own, whatever fn returns. Saving nil or an empty slice leaves a tombstone. save works
	// after ctx has ended too: what it is given may exist nowhere else. It fails after Update has returned.
	//
	// fn's context ends with ctx, and if the lock is lost; a save that meets a record changed by somebody else
	// fails with a ConflictError, and changes nothing. fn's error is returned as it is; a panic in fn
	// and runtime.Goexit go through, and the lock is released.
	Update(ctx context.Context, key string, fn UpdateFunc) error
}

// UpdateFunc is what Store.Update calls under the lock.
type UpdateFunc = func(ctx context.Context, old []byte, save func([]byte) error) error

// A Waker is a Store that is told when a lock is released. Of many who wait for it, each looks at once at what the
// holder has saved, instead of getting the lock in turn.
type Waker interface {
	// WhenFree calls call, never twice at a time, whenever key's lock was released, until forget is called. forget does
	// not wait for a call that runs.
	WhenFree(key string, call func()) (forget func())
}

// A Clearer is a Store that can clear away a record that it cannot read, so that this is no dead end. A Client asks for it
// when a login, or a logout, meets an error of Update before that has called back, and tries once more. A Store that several
// machines share had better not be one: a replica with a wrong key would clear away what is good for all others.
type Clearer interface {
	// SetAside makes room for a login: a record that cannot be read, whoever tries again, is moved, and stays for whoever
	// can bring back its key. It returns where that is and why it was not read; "" and nil if there is no such record.
	SetAside(ctx context.Context, key string) (aside string, why, err error)
	// Discard removes such a record. It returns why it was not read, nil if there is none.
	Discard(ctx context.Context, key string) (why, err error)
}

// A ConflictError is what a save fails with where the record was changed by somebody else since it was read.
type ConflictError interface {
	error
	// Conflict reports whether that is so.
	Conflict() bool
}

// MemoryStore is a Store that lives as long as the process: for tests, and for several Clients that share
// sessions within one process. The zero value is empty and ready. It must not be copied.
type MemoryStore struct {
	locks   update.Locks
	records sync.Map // string -> []byte
}

// Load implements Store.
func (m *MemoryStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.load(key), nil
}

func (m *MemoryStore) load(key string) []byte {
	v, ok := m.records.Load(key)
	if !ok {
		return nil
	}
	return append([]byte{}, v.([]byte)...)
}

// Update implements Store.
func (m *MemoryStore) Update(ctx context.Context, key string, fn UpdateFunc) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	unlock, err := m.locks.Lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	save := func(b []byte) error {
		m.records.Store(key, append([]byte{}, b...))
		return nil
	}
	return update.Call(ctx, m.load(key), save, fn)
}

// noStore stands in where no Store is set: it keeps nothing, and its Update still lets one use of a key in at a time.
type noStore struct{ locks update.Locks }

func (*noStore) Load(context.Context, string) ([]byte, error) { return nil, nil }

func (s *noStore) Update(ctx context.Context, key string, fn UpdateFunc) error {
	unlock, err := s.locks.Lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	return update.Call(ctx, nil, func([]byte) error { return nil }, fn)
}
