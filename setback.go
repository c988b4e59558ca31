package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// This file is what a trade does where it was not given the next session.

// refused keeps what a failed exchange changed, and ends the session if the refusal is definite.
func (t *trade) refused(r *record.Record, s auth.Session, err error, save func([]byte) error) error {
	re := asRefreshError(auth.KindRefresh, err)
	after := *r
	after.Session.Cookies = s.Cookies
	if !s.RefreshToken.IsZero() {
		after.Session.RefreshToken = s.RefreshToken
	}
	rotated := !sameCredential(after.Session, r.Session)
	if rotated {
		after.Version++
	}
	if re.MaybeSpent && after.Spending.IsZero() {
		after.Spending = t.began
	}
	if t.c.definite(re) {
		re.Interrupted = re.Interrupted || !r.Spending.IsZero()
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
func (t *trade) over(r *record.Record, re *auth.Error, save func([]byte) error) error {
	if old, err := t.c.store.Load(t.ctx, t.c.key); err == nil {
		if now, err := record.Decode(old); err == nil && now != nil && now.Newer(r) {
			if done, err := t.decide(old); done {
				return err
			}
		}
	}
	if t.c.cfg.Credentials != nil {
		return t.logIn(save)
	}
	why := strings.TrimSuffix(strings.TrimPrefix(re.Error(), "silentrefresh: the session is over: "), "; call Login")
	ended := record.Record{Login: r.Login, Version: r.Version + 1, Over: why}
	ended.Session.Subject, ended.Session.Account = r.Session.Subject, r.Session.Account
	ended.Session.Ends = re.At
	t.c.save(&ended, save) // if it cannot be saved, the others find out for themselves
	return re
}

// needsLogin reports whether only a login goes on from r, and may be done without a person.
func (t *trade) needsLogin(r *record.Record) bool {
	if t.c.cfg.Credentials == nil {
		return false
	}
	return r == nil || r.Over != "" || t.c.renewable(r.Session) != nil
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
		return &auth.Error{Op: auth.KindLogin, Unsent: true, Err: fmt.Errorf("Credentials: %w", err)}
	}
	s, err := t.c.exchange(ctx, auth.Grant{Kind: auth.KindLogin, Credentials: credentials}, auth.NewJar())
	if err != nil {
		return err
	}
	if s.AccessToken.IsZero() {
		return errNoToken
	}
	t.kind = EventLoggedIn
	t.response, s.Response = s.Response, auth.Response{}
	return t.keep(record.New(s), save)
}

// settleConflict is for a save that failed after the exchange, because somebody else had changed the record: the
// new session is saved if the record still carries what was given for it; else the record's is newer, and is adopted.
// It returns why the session is not saved: with ErrSessionOver, it must not live on here either. A session that loses
// is revoked, since nobody has it.
func (t *trade) settleConflict(err error) error {
	if !conflicted(err) {
		return err
	}
	var loser *record.Record
	err = t.c.locked(t.ctx, func(_ context.Context, old []byte, save func([]byte) error) error {
		r, err := record.Decode(old)
		if err != nil {
			return err
		}
		if old != nil {
			if err := t.c.displaced(t.got, r); err != nil {
				loser = t.got
				return err
			}
		}
		if r == nil || r.Over != "" || t.follows(r) {
			return t.keep(t.got, save)
		}
		if r.Login != t.got.Login {
			loser = t.got
		}
		t.got, t.adopted, t.kind = r, true, EventAdopted
		return nil
	})
	if loser != nil {
		_ = t.c.revoke(t.ctx, loser.Session) // where that fails, it ends by itself
	}
	return err
}

// follows reports whether what the trade got comes after r.
func (t *trade) follows(r *record.Record) bool {
	if r.Login == t.got.Login {
		return r.Version < t.got.Version
	}
	return r.Login == t.from // Credentials have begun the next session after that
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
		re := asRefreshError(auth.KindRefresh, err)
		if re.Op == auth.KindLogin && re.Refused {
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
