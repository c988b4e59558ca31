package sim

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// act lets the user of a slot do something, on goroutines of its own.
func (w *world) act(s step) {
	p := w.current(s.who)
	if p == nil || !p.known() {
		return
	}
	for i := range max(1, s.n) {
		w.users.Go(func() {
			time.Sleep(time.Duration(i) * 137 * time.Microsecond) // one after the other, so that a replay is exact
			p.user(s)
		})
	}
}

// user is one thing that a user does.
func (p *process) user(s step) {
	switch s.do {
	case doClose:
		p.close()
	case doLogin, doResume:
		p.enter(s)
	case doToken, doReject:
		if s.what == "elsewhere" {
			p.callElsewhere()
			return
		}
		p.ask(s)
	case doGet:
		p.get(s)
	case doRenew, doLogout:
		do := p.client.renew
		if s.do == doLogout {
			do = p.client.logout
		}
		p.op(fact{text: string(s.do), wait: s.dur}, func() error {
			ctx, cancel := within(s.dur)
			defer cancel()
			return do(ctx)
		})
	}
}

// within is a context with a deadline, or none if d is 0.
func within(d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), d)
}

// enter logs in, or brings a session that was begun elsewhere.
func (p *process) enter(s step) {
	account := p.account(s.what)
	p.op(fact{text: string(s.do), account: account, wait: s.dur}, func() error {
		ctx, cancel := within(s.dur)
		defer cancel()
		if s.do == doLogin {
			return p.client.login(ctx, p, account)
		}
		p.w.mu.Lock()
		given := p.w.server.login(account)
		p.w.mu.Unlock()
		return p.client.resume(ctx, p, given)
	})
}

// ask asks for a token, and perhaps says that it is bad.
func (p *process) ask(s step) {
	f := fact{text: string(s.do), wait: s.dur}
	f.who, f.what = p.n, opBegan
	f.op = p.w.begin(f)
	ctx, cancel := within(s.dur)
	defer cancel()
	id, token, err := p.client.token(ctx)
	f.what, f.token, f.err, f.ok = opEnded, id, errorText(err), err == nil
	p.w.mu.Lock()
	f.account = p.w.server.accountOf(id)
	p.w.note(f)
	p.w.mu.Unlock()
	if s.do == doReject && err == nil {
		p.client.reject(token)
		p.w.tell(fact{who: p.n, what: opEnded, text: "rejected", token: id})
	}
}

// callElsewhere asks for the token as gRPC does that calls another server.
func (p *process) callElsewhere() {
	id, err := p.client.metadata(context.Background(), foreign+"/service")
	p.w.tell(fact{who: p.n, what: sent, text: "gRPC elsewhere", token: id, err: errorText(err)})
}

// get sends a request to an endpoint: good, bad (which refuses for reasons of its own), a stream that can be sent only
// once, a foreign origin, or with a credential of the caller's own.
func (p *process) get(s step) {
	f := fact{who: p.n, what: opBegan, text: "get /" + s.what, wait: s.dur}
	f.op = p.w.begin(f)
	f.what = opEnded
	defer func() {
		if v := recover(); v != nil {
			f.what, f.err = panicked, text(v)
		}
		p.w.tell(f)
	}()
	ctx, cancel := within(s.dur)
	defer cancel()
	req := request(context.WithValue(ctx, opKey{}, f.op), s.what)
	resp, err := p.client.http.Do(req)
	if err != nil {
		f.err = err.Error()
		return
	}
	f.status = resp.StatusCode
	if s.what == "download" {
		p.w.nap(context.Background(), 2*p.w.set.exchange())
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func request(ctx context.Context, endpoint string) *http.Request {
	url, method, body := origin+"/"+endpoint, http.MethodGet, io.Reader(nil)
	switch endpoint {
	case "elsewhere":
		url = foreign + "/"
	case "stream":
		method, body = http.MethodPost, struct{ io.Reader }{strings.NewReader("once")}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		panic(err) // the URLs are ours
	}
	switch endpoint {
	case "own":
		req.Header["authorization"] = []string{"Basic b3duOm93bg=="} // as net/http sends it, not as it writes it
	case "basic":
		req.SetBasicAuth("own", "own")
	}
	return req
}

// inspect looks at every process that is open, after everything has worked again for a while.
func (w *world) inspect() {
	for _, p := range w.open() {
		p.get(step{do: doGet, what: "good", dur: time.Hour})
		p.ask(step{do: doToken, dur: time.Hour})
		time.Sleep(2 * time.Second) // until events have come
		f := p.client.standing()
		f.who = p.n
		w.tell(f)
	}
	w.inspectStore()
}

// inspectStore looks at the records.
func (w *world) inspectStore() {
	s, err := w.shelf.Open(&Process{Reach: func(_ context.Context, do func() error) error { return do() }, Now: w.serverTime})
	for _, key := range w.keys() {
		var b []byte
		if err == nil {
			b, err = s.Load(context.Background(), key)
		}
		f := recordFact(b)
		f.who, f.what, f.text, f.key, f.err = nobody, checked, "the Store's record", key, errorText(err)
		w.mu.Lock()
		f.account = w.server.accountOf(f.credential)
		w.note(f)
		w.mu.Unlock()
	}
}

// keys are those under which the Store has a record.
func (w *world) keys() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	keys := map[string]bool{}
	for _, f := range w.facts {
		if f.isWritten() {
			keys[f.key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
