package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// This file is what a user gives to a Client to be called. It calls back, and does what it should not.

// userCode is what all user code does: it calls the Client from another goroutine, and panics, takes long or says no
// where the plan says so. It reports whether it says no.
func (p *process) userCode(name string) (no bool) {
	if p.pass() != nil {
		return false
	}
	p.probe(name)
	if p.w.isLocked() {
		return false // to wait would stop the clock
	}
	if s, ok := p.w.strikes(doUser, name+" takes long"); ok {
		p.w.nap(context.Background(), max(s.dur, time.Second))
	}
	if _, ok := p.w.strikes(doUser, name+" panics"); ok {
		p.w.tell(fact{who: p.n, what: struck, text: name + " panics"})
		panic("simulation: a panic of the " + name)
	}
	if _, no = p.w.strikes(doUser, name+" says no"); no {
		p.w.tell(fact{who: p.n, what: struck, text: name + " says no"})
	}
	return no
}

// isLocked reports whether user code was found to run under the Client's lock.
func (w *world) isLocked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.locked
}

// rejected is Config.Rejected: it says what would be the case without it.
func (p *process) rejected(resp *http.Response) bool {
	p.userCode("rejection check")
	return resp.StatusCode == http.StatusUnauthorized
}

// credentials is Config.Credentials.
func (p *process) credentials(context.Context) (any, error) {
	if p.userCode("credentials") {
		return nil, errors.New("simulation: the password manager is locked")
	}
	return p.loginWith(credentials{account: p.account("ada"), byEngine: true}), nil
}

// account is somebody's name where the process's server is.
func (p *process) account(name string) string {
	return name + p.w.set.path[p.slot]
}

// A logger is a slog.Handler.
type logger struct{ p *process }

// Enabled implements slog.Handler.
func (l *logger) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (l *logger) Handle(_ context.Context, r slog.Record) error {
	said := r.Message
	r.Attrs(func(a slog.Attr) bool { said += " " + a.Value.String(); return true })
	if strings.Contains(said, "panic") {
		l.p.w.tell(fact{who: l.p.n, what: observed, text: "a panic in the log"})
	}
	l.p.userCode("logger")
	return nil
}

// WithAttrs implements slog.Handler.
func (l *logger) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *logger) WithGroup(string) slog.Handler { return l }

func text(v any) string { return fmt.Sprint(v) }
