package redisstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/silentrefresh/silentrefresh/seal"
)

// An engine is a Redis to test on, and a namespace of its own in it.
type engine struct {
	t         *testing.T
	namespace string
	dial      func() (net.Conn, error)
	rdb       *redis.Client
	lease     time.Duration
}

// onEngines runs test on a Redis within the process, in a bubble, and on the one at REDIS_ADDR if that is set.
func onEngines(t *testing.T, test func(*testing.T, *engine)) {
	t.Run("miniredis", func(t *testing.T) { inBubble(t, test) })
	if addr := os.Getenv("REDIS_ADDR"); addr != "" {
		t.Run("redis", func(t *testing.T) { test(t, realEngine(t, addr)) })
	}
}

// inBubble runs test on a Redis within the process whose time is the bubble's.
func inBubble(t *testing.T, test func(*testing.T, *engine)) {
	synctest.Test(t, func(t *testing.T) {
		m := miniredis.NewMiniRedis()
		t.Cleanup(m.Close)
		m.ClockTTL(true)
		test(t, newEngine(t, m.Dial, 10*time.Second))
	})
}

func realEngine(t *testing.T, addr string) *engine {
	return newEngine(t, func() (net.Conn, error) { return net.Dial("tcp", addr) }, time.Second)
}

func newEngine(t *testing.T, dial func() (net.Conn, error), lease time.Duration) *engine {
	e := &engine{t: t, namespace: "test-" + rand.Text(), dial: dial, lease: lease}
	e.rdb = e.client(&wire{})
	return e
}

// client returns a client whose connections are under the control of w.
func (e *engine) client(w *wire, change ...func(*redis.Options)) *redis.Client {
	o := &redis.Options{
		Dialer:                   func(context.Context, string, string) (net.Conn, error) { return w.dial(e.dial) },
		Addr:                     "127.0.0.1:6379", // a name would be looked up, outside the bubble
		ContextTimeoutEnabled:    true,
		MinRetryBackoff:          time.Millisecond,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	for _, f := range change {
		f(o)
	}
	rdb := redis.NewClient(o)
	e.t.Cleanup(func() { rdb.Close() })
	return rdb
}

// store returns a new Store on a client of its own, as another process would have.
func (e *engine) store(change ...func(*Config)) *Store { return e.wired(&wire{}, change...) }

func (e *engine) wired(w *wire, change ...func(*Config)) *Store {
	e.t.Helper()
	c := Config{Client: e.client(w), Keys: testKeys("one"), Namespace: e.namespace, Lease: e.lease, Lost: e.unexpected}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { s.Close() })
	return s
}

func (e *engine) unexpected(l Loss) { e.t.Errorf("reported a loss: %+v", l) }

// testKeys are the keys of a text each.
func testKeys(texts ...string) []seal.Key {
	var keys []seal.Key
	for _, text := range texts {
		key := sha256.Sum256([]byte(text))
		keys = append(keys, seal.Key{Source: text, Get: func(context.Context, bool) ([]byte, error) { return key[:], nil }})
	}
	return keys
}

// A wire is what lies between a client and Redis, and can be cut.
type wire struct {
	mu      sync.Mutex
	conns   []*wiredConn
	cut     bool
	swallow atomic.Bool // the next response gets lost, with its connection
}

var errCut = errors.New("the wire is cut")

func (w *wire) dial(dial func() (net.Conn, error)) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, errCut
	}
	inner, err := dial()
	if err != nil {
		return nil, err
	}
	c := &wiredConn{Conn: inner, wire: w}
	w.conns = append(w.conns, c)
	return c, nil
}

// mute lets nothing through any more on the connections that there are, as when a router has forgotten them.
func (w *wire) mute() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.muted.Store(true)
	}
}

// set cuts all connections, or allows new ones.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for _, c := range w.conns {
			c.Close()
		}
		w.conns = nil
	}
}

// dropSubscribers breaks the connections of those who listen.
func (w *wire) dropSubscribers() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		if c.listens.Load() {
			c.Close()
		}
	}
}

type wiredConn struct {
	net.Conn
	wire    *wire
	muted   atomic.Bool
	listens atomic.Bool
}

func (c *wiredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for err == nil && c.muted.Load() {
		n, err = c.Conn.Read(b)
	}
	if err == nil && c.wire.swallow.CompareAndSwap(true, false) {
		c.Close()
		return 0, io.EOF
	}
	return n, likeTCP(err)
}

func (c *wiredConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("subscribe")) {
		c.listens.Store(true)
	}
	n, err := c.Conn.Write(b)
	return n, likeTCP(err)
}

func (c *wiredConn) SetDeadline(t time.Time) error      { return likeTCP(c.Conn.SetDeadline(t)) }
func (c *wiredConn) SetReadDeadline(t time.Time) error  { return likeTCP(c.Conn.SetReadDeadline(t)) }
func (c *wiredConn) SetWriteDeadline(t time.Time) error { return likeTCP(c.Conn.SetWriteDeadline(t)) }

// likeTCP makes a closed pipe look like a connection that the other side has closed.
func likeTCP(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return io.EOF
	}
	return err
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put saves one value.
func put(t *testing.T, s *Store, key, value string) {
	t.Helper()
	must(t, s.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		return save([]byte(value))
	}))
}

// want checks what is stored.
func want(t *testing.T, s *Store, key, value string) {
	t.Helper()
	got, err := s.Load(t.Context(), key)
	must(t, err)
	if got == nil || string(got) != value {
		t.Fatalf("loaded %q, want %q", got, value)
	}
}
