package sim

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"time"
)

// A call is what an exchange asks of the auth server.
type call struct {
	kind       string // "login", "refresh" or "logout"
	credential string
	account    string
	byEngine   bool // a login that the engine made with Credentials
}

// An outcome is what comes of a call.
type outcome struct {
	given issue
	reply reply
	means means
	sent  time.Time
	err   error // no response has come
}

// exchange makes one call. Whatever the auth server does with it, it does here.
func (p *process) exchange(ctx context.Context, c call) outcome {
	w := p.w
	if err := p.pass(); err != nil {
		return outcome{err: err, means: meansFailed}
	}
	began := fact{who: p.n, what: exchangeBegan, text: c.kind, credential: c.credential, account: c.account, ok: c.byEngine}
	began.op = w.begin(began)
	p.probe("Exchange")
	name, r := w.nextReply(c.kind)
	o := p.carry(ctx, c, r, began.op)
	if o.err == nil && ctx.Err() != nil && r.deaf == 0 {
		o.err = context.Cause(ctx)
	}
	if o.err != nil && r.lost != noDial { // whatever the server has said, it was not heard
		o.means = meansUnknown
	}
	ended := fact{who: p.n, what: exchangeEnded, op: began.op, text: string(o.means), credential: c.credential,
		ok: o.means == meansNothing, err: errorText(o.err)}
	if name != "ok" {
		ended.err = name + " " + ended.err
	}
	if o.given.token != nil {
		ended.token, ended.life = o.given.token.id, r.life(o.given.token)
	}
	w.mu.Lock()
	if !p.dead { // nobody is there to get it
		w.note(ended)
	}
	w.mu.Unlock()
	p.at("receipt")
	if err := p.pass(); err != nil {
		return outcome{err: err, means: meansFailed}
	}
	return o
}

// carry takes a call to the server and its response back.
func (p *process) carry(ctx context.Context, c call, r reply, op int) outcome {
	w := p.w
	o := outcome{reply: r, sent: time.Now(), means: r.meaning()}
	if r.lost == noDial {
		o.err = dialError()
		return o
	}
	if r.deaf > 0 {
		time.Sleep(r.deaf)
	}
	if o.err = w.nap(ctx, r.before+w.between(w.set.latency/2)); o.err != nil && r.deaf == 0 {
		o.means = meansUnknown // as far as the client can tell
		return o
	}
	if !r.drops && !(r.blank && c.kind == "refresh") {
		p.commit(c, &o, op)
	}
	p.at("response")
	p.breakDown(r)
	if r.lost == silence {
		select {
		case <-ctx.Done():
			o.err = context.Cause(ctx)
		case <-w.over:
			o.err = errGone
		}
		return o
	}
	if o.err = w.nap(ctx, r.after+w.between(w.set.latency/2)); r.deaf > 0 {
		o.err = nil
	}
	if r.lost == noReply {
		o.err = syscall.ECONNRESET
	}
	return o
}

// commit lets a call take effect.
func (p *process) commit(c call, o *outcome, op int) {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	fine := true
	switch {
	case c.kind == "logout":
		w.server.logout(c.credential)
	case o.reply.kills && c.kind == "refresh":
		if k := w.server.credentials[c.credential]; k != nil {
			k.family.dead = true
		}
		fine = false
	case o.reply.refused:
		fine = false
	case c.kind == "login":
		o.given = w.server.login(c.account)
		if o.means == meansBlank && !w.set.http {
			o.means = meansNothing // what has no token is meant for a refresh
		}
	case o.reply.again && w.server.current(c.credential) != nil:
		k := w.server.credentials[c.credential]
		o.given = issue{credential: k, token: k.family.current}
	default:
		o.given, fine = w.server.refresh(c.credential)
	}
	if !fine {
		o.reply.refused = true
		if o.reply.lost == cutReply {
			o.reply.lost = ""
		}
		if !o.reply.kills {
			o.reply.status, o.reply.body, o.reply.html = 400, `{"error":"invalid_grant"}`, false
		}
		if o.reply.lost == "" {
			o.means = meansRefused
		}
	}
	f := fact{who: p.n, what: committed, op: op, text: c.kind, credential: c.credential, account: c.account, ok: fine}
	if o.given.credential != nil {
		f.next, f.account, f.login = o.given.credential.id, o.given.credential.family.account, o.given.credential.family.id
	}
	if o.given.token != nil {
		f.token, f.life = o.given.token.id, o.given.token.life
	}
	w.note(f)
}

// current is the token of a credential that is good, nil if it has none that lives.
func (s *server) current(id string) *token {
	c := s.credentials[id]
	if c == nil || c.next != nil || c.family.dead || c.family.current == nil || !s.live(c.family.current) {
		return nil
	}
	return c.family.current
}

// breakDown is what an Exchanger may do that has bugs.
func (p *process) breakDown(r reply) {
	if r.panics {
		panic("simulation: a panic of the Exchanger's")
	}
	if r.exits {
		runtime.Goexit()
	}
}

var errFailed = errors.New("simulation: the exchange failed")

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
