package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// again are credentials that nobody has typed just now.
type again map[string]any

var (
	errNoneKept      = errors.New("no credentials are kept beside the session")
	errRefusedBefore = errors.New("these credentials were refused before, and are not presented again: that would lock the account")
)

// logsInAgain lets cfg log in by itself where the settings say how. A logout does not log in first.
func (a *app) logsInAgain(cfg *silentrefresh.Config, v *vault) {
	source := a.profile.config.Credentials
	if source == nil || a.leaving {
		return
	}
	bound, err := a.profile.config.Settings.Bind(a.profile.base, cfg.Attach)
	if err != nil {
		return // New says what is wrong, and what else is
	}
	cfg.Endpoint, cfg.Exchanger = endpoint.Settings{}, &relogin{Exchanger: bound, keep: source.Keep, beside: beside{v}, warn: a.remark}
	cfg.Credentials = func(ctx context.Context) (any, error) { return a.credentialsAgain(ctx, source, beside{v}) }
}

// remark tells what is no failure of the command.
func (a *app) remark(err error) { fmt.Fprintf(a.err, "silentrefresh: %s\n", plain(err)) }

// credentialsAgain are the credentials for a login without a person.
func (a *app) credentialsAgain(ctx context.Context, source *credentialSource, b beside) (again, error) {
	if source.Keep {
		kept, err := b.load(ctx)
		return again(kept.Credentials), err
	}
	defer a.wait.pause()()
	given, err := source.run(ctx, a.terminal(), a.profile.config.asked())
	return again(given), err
}

// credentials are those of a login for which nothing was given: the command's, or a person's.
func (a *app) credentials(ctx context.Context) (any, error) {
	if source := a.profile.config.Credentials; source != nil && len(source.Command) > 0 {
		defer a.wait.pause()()
		given, err := source.run(ctx, a.terminal(), a.profile.config.asked())
		if err != nil {
			return nil, usage(plain(err), "see whether the command in credentials.command works by itself")
		}
		return given, nil
	}
	return a.ask(ctx)
}

// relogin is the exchanger of a session that is begun anew without a person. It knows which credentials were refused.
type relogin struct {
	*endpoint.Exchanger
	keep   bool
	beside beside
	warn   func(error)
}

var (
	_ auth.RenewalChecker      = (*relogin)(nil)
	_ auth.CookieAuthenticator = (*relogin)(nil)
)

// Exchange implements auth.Exchanger. Where it is not known whether the credentials were refused, they are not presented;
// what cannot be noted after a login is no failure of the login.
func (x *relogin) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	if g.Kind != auth.KindLogin {
		return x.Exchanger.Exchange(ctx, hc, g)
	}
	if given, byItself := g.Credentials.(again); byItself {
		if err := x.mayPresent(ctx, given); err != nil {
			return auth.Session{}, err
		}
	}
	s, err := x.Exchanger.Exchange(ctx, hc, g)
	if unnoted := x.note(ctx, g.Credentials, err); unnoted != nil {
		x.warn(unnoted)
	}
	return s, err
}

// mayPresent reports why credentials that nobody has typed just now are not presented.
func (x *relogin) mayPresent(ctx context.Context, given again) error {
	kept, err := x.beside.load(ctx)
	switch {
	case err != nil:
		return &auth.Error{Op: auth.KindLogin, Unsent: true, Err: err}
	case len(given) == 0:
		return &auth.Error{Op: auth.KindLogin, Unsent: true, Refused: true, Err: errNoneKept}
	case kept.Refused != "" && kept.Refused == markOf(given):
		return &auth.Error{Op: auth.KindLogin, Unsent: true, Refused: true, Err: errRefusedBefore,
			Hint: "correct them where they are kept, or log in"}
	}
	return nil
}

// note keeps what has become of credentials.
func (x *relogin) note(ctx context.Context, credentials any, err error) error {
	failure, failed := errors.AsType[*auth.Error](err)
	switch {
	case failed && failure.Refused:
		return x.beside.save(ctx, kept{Refused: markOf(credentials)})
	case err == nil && x.keep:
		return x.beside.save(ctx, kept{Credentials: fieldsOf(credentials)})
	case err == nil:
		return x.beside.forget(ctx)
	}
	return nil
}

// markOf tells credentials apart without being them.
func markOf(credentials any) string {
	b, err := json.Marshal(fieldsOf(credentials))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// fieldsOf are credentials in the form in which they are kept and compared.
func fieldsOf(credentials any) map[string]any {
	b, err := json.Marshal(credentials)
	if err != nil {
		return nil
	}
	var fields map[string]any
	if json.Unmarshal(b, &fields) != nil {
		return nil
	}
	return fields
}

// kept is what is kept of credentials beside a session, sealed as that is.
type kept struct {
	Credentials map[string]any `json:"credentials,omitempty"`
	Refused     string         `json:"refused,omitempty"` // which credentials the server has refused
}

// beside is the place of it in the session's store.
type beside struct{ vault *vault }

func (b beside) key() string { return "credentials of " + b.vault.key }

func (b beside) load(ctx context.Context) (k kept, err error) {
	sealed, err := b.vault.Store.Load(ctx, b.key())
	if err == nil && len(sealed) > 0 && json.Unmarshal(sealed, &k) != nil {
		err = errors.New("they are damaged") // the cause would quote them
	}
	if err != nil {
		return k, fmt.Errorf("what is kept of the credentials was not read: %w", err)
	}
	return k, nil
}

func (b beside) save(ctx context.Context, k kept) error {
	document, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return b.write(ctx, document)
}

// forget removes what is kept, if there is anything.
func (b beside) forget(ctx context.Context) error {
	if old, err := b.vault.Store.Load(ctx, b.key()); err == nil && len(old) == 0 {
		return nil
	}
	return b.write(ctx, nil)
}

func (b beside) write(ctx context.Context, document []byte) error {
	err := b.vault.replace(ctx, b.key(), func(_ context.Context, _ []byte, save func([]byte) error) error { return save(document) })
	if err != nil {
		return fmt.Errorf("what became of the credentials was not kept: %w", err)
	}
	return nil
}
