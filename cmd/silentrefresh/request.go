package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh"
)

const requestHelp = `A path that begins with a slash counts from the server's origin, one without from the base URL. The token goes
to the session's server alone. Redirects are shown, and not followed. Data that is a JSON object or list is sent as
JSON, other data as a form, unless -H 'Content-Type: ...' says otherwise.

  silentrefresh request /me
  silentrefresh request -X PUT -d '{"name": "Ada"}' /me
`

// request sends one request and prints the response.
func request(ctx context.Context, a *app) (err error) {
	c, _, err := a.session(nil)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	req, err := a.newRequest(ctx)
	if err != nil {
		return err
	}
	hc := c.HTTPClient()
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, j := traced(ctx)
	resp, err := hc.Do(req.WithContext(ctx))
	if err != nil {
		f := a.unanswered(shown(a.args[0]), req.Method, j, err)
		if f.do == "" && passes(err) {
			f.do = "see whether the server is up, and whether its URL is right: " + shown(req.URL.String())
		}
		return f
	}
	defer resp.Body.Close()
	if err := a.show(resp); err != nil {
		return err
	}
	return a.verdict(resp, c.Status())
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

func (a *app) newRequest(ctx context.Context) (*http.Request, error) {
	u, err := a.resolve(a.args[0])
	if err != nil {
		return nil, err
	}
	method := a.options.method
	var body io.Reader
	var data []byte
	if a.options.data != "" {
		if data, err = a.data(a.options.data); err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
		if method == "" {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, usage("the request cannot be made: "+plain(err), "look at -X and the URL")
	}
	req.Header.Set("User-Agent", "silentrefresh/"+release())
	if body != nil {
		req.Header.Set("Content-Type", contentType(data))
	}
	return req, setHeaders(req, a.options.header)
}

// resolve is the URL that ref means.
func (a *app) resolve(ref string) (*url.URL, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return nil, usage("the URL cannot be parsed", "write a path such as /me, or a whole URL")
	}
	from := *a.profile.base
	if !strings.HasSuffix(from.Path, "/") {
		from = *from.JoinPath("/")
	}
	return from.ResolveReference(u), nil
}

// contentType is what data is sent as: JSON if it is a JSON object or list, else a form, as curl does.
func contentType(data []byte) string {
	data = bytes.TrimSpace(data)
	if len(data) > 0 && (data[0] == '{' || data[0] == '[') && json.Valid(data) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// setHeaders sets headers as -H has them. One without a value takes the header away.
func setHeaders(req *http.Request, lines []string) error {
	fresh := map[string]bool{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return usage(fmt.Sprintf("-H %q is not a header", firstWord(line)), "write it as 'Name: value'")
		case name == "Host":
			req.Host = value
		case value == "":
			req.Header.Del(name)
		case !fresh[name]:
			req.Header.Set(name, value)
			fresh[name] = true
		default:
			req.Header.Add(name, value)
		}
	}
	return nil
}

// firstWord is the first word of line; the others may be a secret.
func firstWord(line string) string {
	word, _, more := strings.Cut(strings.TrimSpace(line), " ")
	if more {
		return word + " ..."
	}
	return word
}

// show writes the response where it is wanted.
func (a *app) show(resp *http.Response) error {
	if a.options.include {
		a.showHead(resp)
	}
	if a.options.output == "" {
		return a.receive(a.out, resp)
	}
	f, err := os.Create(a.options.output)
	if err != nil {
		return usage("the file for the response was not made: "+plain(err), "give another one with -o")
	}
	received := a.receive(f, resp)
	if err := f.Close(); err != nil && received == nil {
		return a.unwritten(err)
	}
	return received
}

// receive copies the response's body.
func (a *app) receive(to io.Writer, resp *http.Response) error {
	w := &watched{Writer: to}
	_, err := io.Copy(w, resp.Body)
	switch {
	case w.err != nil:
		return a.unwritten(w.err)
	case err != nil:
		return a.failed("the response broke off", err)
	}
	return nil
}

func (a *app) unwritten(err error) *failure {
	return &failure{what: "the response was not written: " + reasonOf(err), code: exitFailed}
}

// watched tells a failure to write from one to read.
type watched struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (n int, err error) {
	n, err = w.Writer.Write(p)
	w.err = err
	return n, err
}

func (a *app) showHead(resp *http.Response) {
	fmt.Fprintf(a.out, "%s %s\r\n", resp.Proto, resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, value := range resp.Header[name] {
			fmt.Fprintf(a.out, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprint(a.out, "\r\n")
}

// verdict is what the response's status means for the program's.
func (a *app) verdict(resp *http.Response, st silentrefresh.Status) error {
	what := fmt.Sprintf("%s returned %s", shown(a.args[0]), resp.Status)
	switch location := resp.Header.Get("Location"); {
	case resp.StatusCode == http.StatusUnauthorized && over(st):
		return a.failed(what, st.Err)
	case resp.StatusCode == http.StatusUnauthorized && stuck(st):
		f := a.failed(what+", and the token could not be renewed", st.Err)
		if f.code != exitPasses {
			f.code = exitStatus
		}
		return f
	case resp.StatusCode >= 400:
		return &failure{what: what, code: exitStatus}
	case resp.StatusCode >= 300 && location != "":
		fmt.Fprintf(a.err, "silentrefresh: %s: see %s\n", what, location)
	}
	return nil
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
