package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// token prints a valid access token.
func token(ctx context.Context, a *app) (err error) {
	if f := a.options.format; f != "" && f != "text" && f != "exec-credential" {
		return usage(fmt.Sprintf("--format %s is not known", f), "give text or exec-credential")
	}
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
	if wanted := a.wanted(t.Expires, c.Status().Issued); time.Until(t.Expires) < wanted {
		if t, err = a.renewed(try, c, t); err != nil {
			return a.failed("no token", err)
		}
	}
	return a.print(t)
}

// print writes t in the form that was asked for.
func (a *app) print(t silentrefresh.Token) error {
	if a.options.format == "" || a.options.format == "text" {
		fmt.Fprintln(a.out, t.Value.Reveal())
		return nil
	}
	document, err := execCredential(t, os.Getenv("KUBERNETES_EXEC_INFO"))
	if err != nil {
		return err
	}
	_, err = a.out.Write(append(document, '\n'))
	return err
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
