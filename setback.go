package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// This file is what a trade does where it was not given the next session.

// refused keeps what a failed exchange changed, and ends the session if the refusal is definite.
func (t *trade) refused(r *record, s Session, err error, save func([]byte) error) error {
	re := asRefreshError(Refresh, err)
	after := *r
	after.session.Cookies = s.Cookies
	if !s.RefreshToken.IsZero() {
		after.session.RefreshToken = s.RefreshToken
	}
	rotated := !sameCredential(after.session, r.session)
	if rotated {
		after.version++
	}
	if re.Unknown && after.spending.IsZero() {
		after.spending = t.began
	}
	if t.c.definite(re) {
		re.Interrupted = re.Interrupted || !r.spending.IsZero()
		return t.over(r, re, save)
	}
	t.c.remember(&after, t.st.epoch)
	if err := t.c.save(&after, save); err != nil && rotated {
		t.c.notSaved(&after, err)
	}
	return re
}

// over ends the session for everybody, unless somebody has renewed it past us meanwhile, or Credentials begin the
// next.
func (t *trade) over(r *record, re *RefreshError, save func([]byte) error) error {
	if old, err := t.c.store.Load(t.ctx, t.c.key); err == nil {
		if now, err := decodeRecord(old); err == nil && now != nil && now.newer(r) {
			if done, err := t.decide(old); done {
				return err
			}
		}
	}
	if t.c.cfg.Credentials != nil {
		return t.logIn(save)
	}
	why := strings.TrimSuffix(strings.TrimPrefix(re.Error(), "silentrefresh: the session is over: "), "; call Login")
	ended := record{login: r.login, version: r.version + 1, over: why}
	ended.session.Subject, ended.session.Account = r.session.Subject, r.session.Account
	ended.session.Ends = re.At
	t.c.save(&ended, save) // if it cannot be saved, the others find out for themselves
	return re
}

// needsLogin reports whether only a login goes on from r, and may be done without a person.
func (t *trade) needsLogin(r *record) bool {
	if t.c.cfg.Credentials == nil {
		return false
	}
	return r == nil || r.over != "" || t.c.renewable(r.session) != nil
}

// logIn begins a new session with Credentials.
func (t *trade) logIn(save func([]byte) error) error {
	ctx, cancel := context.WithTimeout(t.ctx, t.c.cfg.Timeout)
	defer cancel()
	credentials, err := t.c.cfg.Credentials(ctx)
	if err != nil {
		if !transient(err) {
			err = errors.New(err.Error()) // the end of another Client's session is not the end of this one
		}
		return &RefreshError{Op: Login, Unsent: true, Err: fmt.Errorf("Credentials: %w", err)}
	}
	s, err := t.c.exchange(ctx, Grant{Kind: Login, Credentials: credentials}, NewJar())
	if err != nil {
		return err
	}
	if s.AccessToken.IsZero() {
		return errNoToken
	}
	t.kind = EventLoggedIn
	t.answer, s.Answer = s.Answer, Answer{}
	return t.keep(newRecord(s), save)
}

// settleConflict is for a save that failed after the exchange, because somebody else had changed the record: the
// new session is saved if the record still carries what was given for it; else the record's is newer, and is adopted.
// It returns why the session is not saved: with ErrSessionOver, it must not live on here either. A session that loses
// is revoked, since nobody has it.
func (t *trade) settleConflict(err error) error {
	if !conflicted(err) {
		return err
	}
	var loser *record
	err = t.c.locked(t.ctx, func(_ context.Context, old []byte, save func([]byte) error) error {
		r, err := decodeRecord(old)
		if err != nil {
			return err
		}
		if old != nil {
			if err := t.c.displaced(t.got, r); err != nil {
				loser = t.got
				return err
			}
		}
		if r == nil || r.over != "" || t.follows(r) {
			return t.keep(t.got, save)
		}
		if r.login != t.got.login {
			loser = t.got
		}
		t.got, t.adopted, t.kind = r, true, EventAdopted
		return nil
	})
	if loser != nil {
		_ = t.c.revoke(t.ctx, loser.session) // where that fails, it ends by itself
	}
	return err
}

// follows reports whether what the trade got comes after r.
func (t *trade) follows(r *record) bool {
	if r.login == t.got.login {
		return r.version < t.got.version
	}
	return r.login == t.from // Credentials have begun the next session after that
}

// fail records why the flight failed.
func (t *trade) fail(err error) error {
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, errGone), errors.Is(err, errBusy):
	case errors.Is(err, ErrNoSession):
		t.c.end(t.st, nil, err, false)
	case errors.Is(err, ErrSessionOver):
		t.c.end(t.st, t.st.record, err, false)
	default:
		re := asRefreshError(Refresh, err)
		if re.Op == Login && re.Refused {
			// To try Credentials again would lock the account.
			err = fmt.Errorf("%w: Credentials were refused: %w", ErrSessionOver, re)
			t.c.end(t.st, t.st.record, err, true)
			return err
		}
		t.c.failed(t.st.epoch, re, t.why)
		return re
	}
	return err
}
