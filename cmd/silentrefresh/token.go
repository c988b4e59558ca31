package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// token prints a valid access token.
func token(ctx context.Context, a *app) (err error) {
	switch f := a.options.format; {
	case f != "text" && f != "exec-credential":
		return usage(fmt.Sprintf("--format %s is not known", f), "give text or exec-credential")
	case f != "text" && a.options.json:
		return usage("--format "+f+" and --json are both given", "leave one of the two out")
	}
	defer a.waits("a valid token")()
	try, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	c, _, err := a.session(func(ev silentrefresh.Event) {
		if ev.Kind == silentrefresh.EventRetrying {
			giveUp(ev.Err)
		}
		a.notice(ev)
	})
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	t, err := c.Token(ctx)
	if err != nil {
		return a.failed("no token", err)
	}
	if wanted := a.wanted(t.Expires, c.Status().Issued); !t.Expires.IsZero() && time.Until(t.Expires) < wanted {
		if t, err = a.renewed(try, c, t); err != nil {
			return a.failed("no token", err)
		}
	}
	return a.print(t)
}

// print writes t in the form that was asked for.
func (a *app) print(t silentrefresh.Token) (err error) {
	var document []byte
	switch {
	case a.options.json:
		document, err = tokenJSON(t)
	case a.options.format == "exec-credential":
		document, err = execCredential(t, a.env("KUBERNETES_EXEC_INFO"))
	default:
		document = []byte(t.Value.Reveal())
	}
	if err != nil {
		return err
	}
	_, err = a.out.Write(append(document, '\n'))
	return err
}

// tokenJSON is t in the words of RFC 6749 section 5.1, with its end as a time beside them.
func tokenJSON(t silentrefresh.Token) ([]byte, error) {
	document := struct {
		AccessToken string     `json:"access_token"`
		TokenType   string     `json:"token_type,omitempty"` // none: a bare token
		ExpiresIn   *int64     `json:"expires_in,omitempty"` // none: the server does not say
		ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	}{AccessToken: t.Value.Reveal(), TokenType: t.Scheme}
	if !t.Expires.IsZero() {
		left, end := int64(time.Until(t.Expires).Seconds()), t.Expires.UTC().Truncate(time.Second)
		document.ExpiresIn, document.ExpiresAt = &left, &end
	}
	return json.Marshal(document)
}

// execCredential is t as kubectl and client-go take it from a credential plugin, in the version that info asks for
// (client.authentication.k8s.io).
func execCredential(t silentrefresh.Token, info string) ([]byte, error) {
	version := struct {
		APIVersion string `json:"apiVersion"`
	}{}
	json.Unmarshal([]byte(info), &version) // without it, the version that every Kubernetes of today takes
	status := map[string]string{"token": t.Value.Reveal()}
	if !t.Expires.IsZero() {
		status["expirationTimestamp"] = t.Expires.UTC().Format(time.RFC3339)
	}
	return json.Marshal(map[string]any{
		"apiVersion": cmp.Or(version.APIVersion, "client.authentication.k8s.io/v1"),
		"kind":       "ExecCredential",
		"status":     status,
	})
}

// renewed is a newer token than t, or else t, which is still good: whoever waits for it should not wait for a server
// that is away, least of all until t has ended. So one try has to do, and at most half of what is left of t.
func (a *app) renewed(ctx context.Context, c *silentrefresh.Client, t silentrefresh.Token) (silentrefresh.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Until(t.Expires)/2)
	defer cancel()
	err := c.Renew(ctx)
	if err == nil {
		return c.Token(ctx)
	}
	if over(c.Status()) {
		return t, err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	fmt.Fprintf(a.err, "silentrefresh: the token ends at %s, and was not renewed: %s\n", clock(t.Expires), plain(err))
	return t, nil
}

// wanted is how long the token has to be valid: what was asked for, as far as its whole life allows.
func (a *app) wanted(expires, issued time.Time) time.Duration {
	if expires.IsZero() {
		return 0
	}
	return min(a.options.minTTL, expires.Sub(issued)/2)
}
