package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/dashboard"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/journey"
)

// The headers of the proxy's own.
const (
	errorHeader  = "Silentrefresh-Error"
	secretHeader = "Silentrefresh-Secret"
	waitedHeader = "Silentrefresh-Waited"
)

// relay is the proxy's handler: it passes requests on to the base URL, logged in.
type relay struct {
	app    *app
	client *silentrefresh.Client
	base   *url.URL
	guard  guard
	panel  *panel
	proxy  *httputil.ReverseProxy
}

// relay makes the handler of a proxy that listens on addr, with the page that p has.
func (a *app) relay(c *silentrefresh.Client, addr net.Addr, p *panel) *relay {
	r := &relay{app: a, client: c, base: a.profile.base, guard: newGuard(addr, a.options.listen, a.options.secret), panel: p}
	r.proxy = &httputil.ReverseProxy{
		Rewrite:        r.rewrite,
		Transport:      c.Transport(nil),
		FlushInterval:  -1, // streams pass as they come
		ErrorLog:       a.quiet(),
		ModifyResponse: r.responded,
		ErrorHandler:   r.failed,
	}
	return r
}

// quiet is where net/http writes what only an expert can use.
func (a *app) quiet() *log.Logger {
	if a.options.verbose {
		return log.New(a.err, "", 0)
	}
	return log.New(io.Discard, "", 0)
}

// ServeHTTP implements http.Handler.
func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if refusal := r.guard.refuses(req); refusal != nil {
		refusal.write(w)
		return
	}
	if dashboard.Mine(req) {
		r.panel.page.ServeHTTP(w, req)
		return
	}
	r.panel.requests.Arrived(time.Now())
	ctx, j := journey.Begin(req.Context())
	j.Generation = r.client.Status().Generation
	r.proxy.ServeHTTP(w, req.WithContext(ctx))
}

// rewrite makes a request to the proxy one to the server. A page that came through the proxy is a page of the
// server's: its Origin and Referer say so again.
func (r *relay) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(r.base)
	h := p.Out.Header
	r.guard.takeOff(h)
	if r.app.options.replaceAuthorization {
		h.Del("Authorization") // a dummy, from a client that does without no token
	}
	if h.Get("Origin") != "" {
		h.Set("Origin", r.base.Scheme+"://"+r.base.Host)
	}
	if ref, ok := strings.CutPrefix(h.Get("Referer"), "http://"+p.In.Host); ok {
		h.Set("Referer", strings.TrimSuffix(r.base.String(), "/")+ref)
	}
}

// responded looks at the server's response before it is passed on.
func (r *relay) responded(resp *http.Response) error {
	_, own := resp.Request.Header["Authorization"]
	if resp.StatusCode == http.StatusUnauthorized && !own {
		if st := r.client.Status(); over(st) || stuck(st) {
			return st.Err
		}
	}
	resp.Header.Del(waitedHeader)
	if waited := journey.Of(resp.Request.Context()).Waited(r.client.Status().Generation); waited > 0 {
		resp.Header.Set(waitedHeader, waited.Round(time.Microsecond).String())
	}
	if location := resp.Header.Get("Location"); location != "" {
		resp.Header.Set("Location", r.local(location, resp.Request.URL))
	}
	r.panel.requests.Ended(resp.StatusCode)
	return nil
}

// local turns a redirect within the server into one within the proxy. from is the URL of the request.
func (r *relay) local(location string, from *url.URL) string {
	u, err := from.Parse(location)
	if err != nil || originOf(u) != originOf(r.base) {
		return location
	}
	path, ok := strings.CutPrefix(u.EscapedPath(), strings.TrimSuffix(r.base.EscapedPath(), "/"))
	if !ok || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return location // outside of what the proxy serves
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		path += "#" + u.EscapedFragment()
	}
	return path
}

// failed responds to a request that the server has not responded to.
func (r *relay) failed(w http.ResponseWriter, req *http.Request, err error) {
	r.panel.requests.Ended(0)
	j := journey.Of(req.Context())
	f := r.app.unanswered(req.URL.Path, req.Method, j, err)
	refresh, isRefresh := errors.AsType[*auth.Error](err)
	switch {
	case req.Context().Err() != nil:
		panic(http.ErrAbortHandler) // whoever asked is gone
	case f.code == exitLogin:
		(&refusal{http.StatusUnauthorized, "session_over", f.Error(), r.app.loginCommand(), nil}).write(w)
	case isRefresh:
		wait := http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(max(1, time.Until(refresh.Until).Seconds()))))}}
		(&refusal{http.StatusServiceUnavailable, "refresh_failed", f.Error(), f.do, wait}).write(w)
	case j.Stage() != journey.Unsent && !isDial(err):
		(&refusal{http.StatusBadGateway, "response_lost", f.Error(), f.do, nil}).write(w)
	default:
		(&refusal{http.StatusBadGateway, "server_unreachable", f.Error(), "", nil}).write(w)
	}
}

// A refusal is a response of the proxy's own.
type refusal struct {
	status  int
	code    string
	message string
	hint    string
	header  http.Header
}

func (f *refusal) write(w http.ResponseWriter) {
	document, err := json.Marshal(struct {
		Error   string `json:"error"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
	}{f.code, f.message, f.hint})
	if err != nil {
		panic(err) // texts can always be marshalled
	}
	for name, values := range f.header {
		w.Header()[name] = values
	}
	w.Header().Set(errorHeader, f.code)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	w.Write(append(document, '\n'))
}
