package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// retryAfter is what a server asks for that says when to come again.
const retryAfter = 20 * time.Second

type opKey struct{}

// A network is the http.RoundTripper of one process: behind it are the API, the auth server's endpoints where the
// engine's own Exchanger calls them, and what happens on the way. To the engine it is a transport that somebody has
// wrapped: it cannot make another one with connections of its own.
type network struct{ p *process }

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	kind, auth := strings.CutPrefix(req.URL.Path, "/auth/")
	if err := n.p.pass(); err != nil {
		return nil, err
	}
	var call fact
	if !auth {
		call = n.sent(req)
	}
	free, err := n.connect(req.Context())
	if err != nil {
		if auth {
			n.p.w.tell(fact{who: n.p.n, what: starved, text: kind})
		}
		return nil, err
	}
	do := func(req *http.Request) (*http.Response, error) { return n.apiCall(req, call) }
	if auth {
		do = func(req *http.Request) (*http.Response, error) { return n.authCall(req, kind) }
	}
	resp, err := do(req)
	if resp == nil {
		free()
		return nil, err
	}
	resp.Body = &body{resp.Body, free}
	return resp, err
}

// connect waits for a connection, where there are not enough of them. It is free again when the response was closed.
func (n *network) connect(ctx context.Context) (free func(), err error) {
	if !n.p.w.set.oneConn {
		return func() {}, nil
	}
	select {
	case n.p.conn <- struct{}{}:
		return sync.OnceFunc(func() { <-n.p.conn }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-n.p.w.over:
		return nil, errGone
	}
}

// A body is a response's, which holds a connection until it is closed.
type body struct {
	io.ReadCloser
	free func()
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.free()
	return b.ReadCloser.Close()
}

// sent notes a request for the API. It is sent when it is given to the network, even if it has to wait there for a
// connection: the engine cannot look into a transport that somebody has wrapped.
func (n *network) sent(req *http.Request) fact {
	w, p := n.p.w, n.p
	op, _ := req.Context().Value(opKey{}).(int)
	bearer := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	if w.set.xToken {
		bearer = req.Header.Get("X-Token")
	} else if strings.HasPrefix(bearer, "Basic ") {
		bearer = ""
	}
	f := fact{who: p.n, what: sent, op: op, text: req.URL.Path, token: bearer, ok: req.URL.Host == "api.test", count: credentialLines(req)}
	w.tell(f)
	return f
}

// apiCall is the API's response to the request that f tells of.
func (n *network) apiCall(req *http.Request, f fact) (*http.Response, error) {
	w, bearer := n.p.w, f.token
	fault, _ := w.hit(doAPI, func(step) bool { return true })
	luck := w.luck(uint64(f.op) << 32) // whichever of many requests comes first that one refresh has set free
	if err := w.nap(req.Context(), time.Duration(luck*float64(50*time.Millisecond))+fault.dur); err != nil {
		return nil, err
	}
	switch fault.what {
	case "reset":
		return nil, syscall.ECONNRESET
	case "nothing":
		return nil, nil
	}
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
	}
	f.what, f.status = responded, http.StatusOK
	w.mu.Lock()
	t := w.server.tokens[bearer]
	good := t != nil && w.server.live(t)
	w.mu.Unlock()
	own := f.text == "/own" || f.text == "/basic"
	if f.ok && !own && (!good || strings.HasSuffix(req.URL.Path, "/bad") || fault.what == "401") {
		f.status = http.StatusUnauthorized
	}
	if f.status == http.StatusUnauthorized && strings.HasSuffix(req.URL.Path, "/bad") {
		if err := w.nap(req.Context(), time.Duration(luck*float64(6*time.Second))); err != nil {
			return nil, err
		}
	}
	f.err = ""
	if !good {
		f.err = "the token is not valid"
	}
	w.tell(f)
	return response(req, f.status, "text/plain", http.StatusText(f.status)), nil
}

// credentialLines is how many Authorization lines a request has on the wire.
func credentialLines(req *http.Request) (n uint64) {
	for name, values := range req.Header {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			n += uint64(len(values))
		}
	}
	return n
}

// authCall is a request of the engine's own Exchanger for the auth server.
func (n *network) authCall(req *http.Request, kind string) (*http.Response, error) {
	p := n.p
	var body struct {
		Email        string
		Password     string
		RefreshToken string `json:"refresh_token"`
	}
	if req.Body != nil {
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil && err != io.EOF {
			return nil, fmt.Errorf("simulation: %w", err)
		}
	}
	if k, err := req.Cookie("refresh_token"); err == nil {
		body.RefreshToken = k.Value
	}
	c := call{kind: kind, credential: body.RefreshToken, account: body.Email, byEngine: body.Password == "true"}
	o := p.exchange(req.Context(), c)
	if o.err != nil {
		return nil, o.err
	}
	return n.respond(req, &o), nil
}

// respond writes the auth server's response.
func (n *network) respond(req *http.Request, o *outcome) *http.Response {
	r := o.reply
	status, kind, body := r.status, "application/json", r.body
	if status == 0 {
		status = http.StatusOK
	}
	if r.html {
		kind = "text/html"
	}
	given := o.given.credential != nil && r.status == 0
	if given {
		body = n.document(o)
	} else if o.means == meansNothing {
		body = "{}"
	}
	resp := response(req, status, kind, body)
	if r.later {
		resp.Header.Set("Retry-After", fmt.Sprint(int(retryAfter.Seconds())))
	}
	if n.p.w.set.cookie && given {
		k := http.Cookie{Name: "refresh_token", Value: o.given.credential.id, Path: "/auth", HttpOnly: true, Secure: true}
		resp.Header.Set("Set-Cookie", k.String())
	}
	return resp
}

// document is the body of a response that gives a token.
func (n *network) document(o *outcome) string {
	fields := map[string]any{"user": map[string]string{"email": o.given.credential.family.account}}
	if t := o.given.token; t != nil {
		fields["access_token"] = t.id
		if in := o.reply.lifetime(t); in != "" {
			fields["expires_in"] = json.Number(in)
		}
	}
	if !n.p.w.set.cookie {
		fields["refresh_token"] = o.given.credential.id
	}
	b, _ := json.Marshal(fields)
	if o.reply.lost == cutReply {
		b = b[:len(b)/2]
	}
	return string(b)
}

func response(req *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func dialError() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}
