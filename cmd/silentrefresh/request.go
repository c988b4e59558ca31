package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/journey"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/upload"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/writeout"
)

// request sends one request and prints the response.
func request(ctx context.Context, a *app) error {
	o := &a.options.request
	muted := o.silent && !o.showError
	if muted && !a.options.verbose {
		a.err = io.Discard
	}
	err := a.transfer(ctx)
	if f, failed := errors.AsType[*failure](err); failed && muted && f.code != exitUsage {
		return exitCode(f.code)
	}
	return err
}

// transfer sends the request, prints the response and then what -w asks for, also where there was no response.
func (a *app) transfer(ctx context.Context) error {
	template, err := a.template()
	if err != nil {
		return err
	}
	t := &transfer{app: a, began: time.Now()}
	failed := t.run(ctx)
	if failed != nil {
		f := asFailure(failed)
		if f.code == exitUsage {
			return f
		}
		t.ExitCode, t.Error = f.code, f.Error()
	}
	t.Total = time.Since(t.began)
	if err := template.Write(a.out, &t.Transfer); err != nil {
		return a.unwritten(err)
	}
	return failed
}

// template is that of -w.
func (a *app) template() (writeout.Template, error) {
	text := a.options.request.writeOut
	if strings.HasPrefix(text, "@") {
		var err error
		if text, err = upload.Join([]upload.Datum{{Kind: upload.Binary, Text: text}}, a.in); err != nil {
			return nil, notRead("what -w names", err)
		}
	}
	t, err := writeout.Parse(text)
	if err != nil {
		return nil, usage("-w cannot be read: "+err.Error(), `write it as '%{http_code}\n'`)
	}
	return t, nil
}

// A transfer is a request and what comes of it.
type transfer struct {
	writeout.Transfer
	app   *app
	began time.Time
	way   *journey.Journey
}

// run connects to the session, and sends the request.
func (t *transfer) run(ctx context.Context) (err error) {
	defer t.app.waits("the response to " + shown(t.app.args[0]))()
	c, _, err := t.app.session(nil)
	if err != nil {
		return err
	}
	defer t.app.closing(c, &err)
	req, err := t.app.newRequest(ctx)
	if err != nil {
		return err
	}
	t.Method, t.URL, t.Uploaded = req.Method, req.URL.String(), max(0, req.ContentLength)
	return t.send(c, req)
}

// send sends req and prints the response.
func (t *transfer) send(c *silentrefresh.Client, req *http.Request) error {
	hc := c.HTTPClient()
	hc.CheckRedirect = t.follow
	var ctx context.Context
	ctx, t.way = journey.Begin(req.Context())
	resp, err := hc.Do(req.WithContext(ctx))
	t.app.wait.end() // from here on there is something to see
	if err != nil {
		return t.failed(err)
	}
	defer resp.Body.Close()
	t.FirstByte = time.Since(t.began)
	t.Status, t.Proto, t.URL = resp.StatusCode, resp.Proto, resp.Request.URL.String()
	t.Method, t.ContentType = resp.Request.Method, resp.Header.Get("Content-Type")
	if to, err := resp.Location(); err == nil {
		t.Location = to.String()
	}
	if err := t.show(resp); err != nil {
		return err
	}
	return t.verdict(resp, c.Status())
}

// follow decides about a redirect: it is followed if that is wanted, and the credential may go there.
func (t *transfer) follow(req *http.Request, via []*http.Request) error {
	const most = 50 // as curl has it
	if !t.app.options.request.location || !t.app.profile.lets(req.URL) {
		return http.ErrUseLastResponse
	}
	if len(via) > most {
		return fmt.Errorf("more than %d redirects", most)
	}
	t.Redirects, t.Method, t.URL = len(via), req.Method, req.URL.String()
	t.way.Restart()
	return nil
}

// failed says why there is no response.
func (t *transfer) failed(err error) *failure {
	name := shown(t.app.args[0])
	if t.Redirects > 0 {
		name = shown(t.URL)
	}
	f := t.app.unanswered(name, t.Method, t.way, err)
	if f.do == "" && isNetwork(err) && !isStored(err) {
		f.do = "see whether the server is up, and whether its URL is right: " + shown(t.URL)
	}
	return f
}

// lets reports whether the session's credential may go to u.
func (p *profile) lets(u *url.URL) bool {
	for _, origin := range append([]string{p.config.BaseURL}, p.config.Origins...) {
		if o, err := url.Parse(origin); err == nil && originOf(o) == originOf(u) {
			return true
		}
	}
	return false
}

// shown is a URL or path without what may be a secret.
func shown(ref string) string {
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		ref = ref[:i]
	}
	if u, err := url.Parse(ref); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return ref
}

// verdict is what the response's status means for the program's.
func (t *transfer) verdict(resp *http.Response, st silentrefresh.Status) error {
	a := t.app
	what := fmt.Sprintf("%s returned %s", shown(a.args[0]), resp.Status)
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 500 && over(st): // by 401, or what the settings say instead
		return a.failed(what, st.Err)
	case resp.StatusCode == http.StatusUnauthorized && stuck(st):
		f := a.failed(what+", and the token could not be renewed", st.Err)
		if f.code != exitPasses {
			f.code = exitStatus
		}
		return f
	case resp.StatusCode >= 400:
		return &failure{what: what, code: exitStatus}
	case resp.StatusCode >= 300 && t.Location != "":
		a.redirected(what, resp)
	}
	return nil
}

// redirected says where a redirect leads that was not followed.
func (a *app) redirected(what string, resp *http.Response) {
	fmt.Fprintf(a.err, "silentrefresh: %s: see %s\n", what, resp.Header.Get("Location"))
	if to, err := resp.Location(); err == nil && a.options.request.location && !a.profile.lets(to) {
		fmt.Fprintf(a.err, "  why: -L stays within the session's origins\n"+
			"  do:  if the credential may go to %s, list it in \"origins\" in the settings\n", to.Scheme+"://"+to.Host)
	}
}

// stuck reports whether the token is no good and was not renewed, and a login is not what helps.
func stuck(st silentrefresh.Status) bool {
	switch st.State {
	case silentrefresh.StateOffline, silentrefresh.StateInterrupted, silentrefresh.StateUnclear:
		return st.Err != nil && !isOver(st.Err)
	}
	return false
}

// over reports whether only a login helps.
func over(st silentrefresh.Status) bool {
	return st.State == silentrefresh.StateOver || st.State == silentrefresh.StateNone || isOver(st.Err)
}
