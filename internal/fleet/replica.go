package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// replicaEnv makes a process a replica: it has its role in JSON.
const replicaEnv = "FLEET_REPLICA"

// A role is what a replica is told.
type role struct {
	Number      int
	Server      string        // the URL of the auth server and API
	Engine      string        // the name of its kind
	Address     string        // of the engine
	Every       time.Duration // between two requests
	Credentials bool          // whether it can log in
	StopsSaving bool          // whether it stops itself while it saves what a refresh has given
}

// A report is what a replica says, a line of JSON each.
type report struct {
	Replica  int       `json:"replica"`
	Kind     string    `json:"kind"` // an event's, or one of the kinds below
	Time     time.Time `json:"time"`
	Version  uint64    `json:"version,omitempty"` // of the session, by then
	Err      string    `json:"err,omitempty"`
	Requests int       `json:"requests,omitempty"` // at the end
	Failed   int       `json:"failed,omitempty"`

	CPU time.Duration `json:"cpu"` // that the replica has used by then
}

// Kinds of reports that are not events.
const (
	kindRefreshing = "refreshing" // a refresh is sent
	kindLoss       = "loss"       // the engine had lost a save
	kindServed     = "served"     // the first request was served
	kindFailed     = "failed"     // a request failed
	kindStopped    = "stopped"    // the replica stops itself
	kindEnd        = "end"
)

const (
	lease = 3 * time.Second
	every = 100 * time.Millisecond // between two requests of a replica
)

type replica struct {
	role
	client   *silentrefresh.Client
	stops    atomic.Bool // at its next write
	mu       sync.Mutex
	requests int
	failed   int
}

// replicaMain is the whole life of a replica: until SIGTERM.
func replicaMain() int {
	r := &replica{}
	if err := json.Unmarshal([]byte(os.Getenv(replicaEnv)), &r.role); err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		return 1
	}
	return 0
}

func (r *replica) run(ctx context.Context) error {
	k, ok := kindOf(r.Engine)
	if !ok {
		return fmt.Errorf("there is no engine %q", r.Engine)
	}
	if r.StopsSaving {
		beforeCommit(r.stopOnce)
	}
	store, err := k.open(r.Address, func() { r.say(report{Kind: kindLoss}) })
	if err != nil {
		return err
	}
	defer store.Close()
	c := silentrefresh.Config{BaseURL: r.Server, Store: store, Base: r, Observe: r.observe}
	if r.Credentials {
		c.Credentials = func(context.Context) (any, error) { return credentials(), nil }
	}
	if r.client, err = silentrefresh.New(c); err != nil {
		return err
	}
	renew := make(chan os.Signal, 1)
	signal.Notify(renew, sigRenew)
	go r.renew(ctx, renew)
	var last sync.WaitGroup
	for tick := time.Tick(r.Every); ctx.Err() == nil; {
		last.Go(r.request)
		select {
		case <-tick:
		case <-ctx.Done():
		}
	}
	last.Wait()
	r.say(report{Kind: kindEnd, Requests: r.requests, Failed: r.failed})
	return r.client.Close()
}

// renew renews the token whenever it is told to.
func (r *replica) renew(ctx context.Context, told <-chan os.Signal) {
	for range told {
		if err := r.client.Renew(ctx); err != nil {
			r.say(report{Kind: kindFailed, Err: err.Error()})
		}
	}
}

// stopOnce stops the whole process if a refresh has given what is to be saved now.
func (r *replica) stopOnce() {
	if r.stops.CompareAndSwap(true, false) {
		r.say(report{Kind: kindStopped})
		stop()
	}
}

func credentials() map[string]string {
	return map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}
}

// request sends one request, which has to succeed.
func (r *replica) request() {
	resp, err := r.client.HTTPClient().Get(r.Server + "/me")
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = errors.New(resp.Status)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	switch {
	case err != nil:
		r.failed++
		r.say(report{Kind: kindFailed, Err: err.Error()})
	case r.requests == 1:
		r.say(report{Kind: kindServed})
	}
}

// RoundTrip implements http.RoundTripper: it reports refreshes.
func (r *replica) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path != "/auth/refresh" {
		return http.DefaultTransport.RoundTrip(req)
	}
	r.say(report{Kind: kindRefreshing})
	resp, err := http.DefaultTransport.RoundTrip(req)
	r.stops.Store(r.StopsSaving)
	return resp, err
}

func (r *replica) observe(e silentrefresh.Event) {
	out := report{Kind: string(e.Kind), Time: e.Time}
	if e.Err != nil {
		out.Err = e.Err.Error()
	}
	if r.client != nil { // events come from within New too
		out.Version = r.client.Status().Version
	}
	r.say(out)
}

var stdout sync.Mutex

func (r *replica) say(out report) {
	stdout.Lock()
	defer stdout.Unlock()
	out.Replica, out.CPU = r.Number, cpu()
	if out.Time.IsZero() {
		out.Time = time.Now()
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
