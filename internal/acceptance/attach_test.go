package acceptance

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// sentBy returns what c sends of req.
func sentBy(t *testing.T, c *silentrefresh.Client, req *http.Request) http.Header {
	t.Helper()
	var sent http.Header
	base := fakes.RoundTripFunc(func(out *http.Request) (*http.Response, error) {
		sent = out.Header
		return fakes.ResponseTo(out, 200), nil
	})
	if _, err := c.Transport(base).RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	return sent
}

func me(change func(*http.Request)) *http.Request {
	req, _ := http.NewRequest("GET", "https://api.example.com/me", nil)
	change(req)
	return req
}

// A credential of the caller's own keeps ours off where both are in one header, as net/http spells it, in lower case, or
// as the settings have it, and only there.
func TestF74_OwnCredentialsBySpellingAndHeader(t *testing.T) {
	inOther := func(cfg *silentrefresh.Config) { cfg.Attach = auth.Attach{Header: "X-TOKEN"} }
	for name, test := range map[string]struct {
		change func(*silentrefresh.Config)
		own    string
		want   string // the header that is expected besides
	}{
		"authorization":         {func(*silentrefresh.Config) {}, "authorization", ""},
		"Authorization":         {func(*silentrefresh.Config) {}, "Authorization", ""},
		"Basic beside X-Token":  {inOther, "Authorization", "X-Token"},
		"X-Token as net/http":   {inOther, "X-Token", ""},
		"x-token as HTTP/2":     {inOther, "x-token", ""},
		"X-TOKEN as configured": {inOther, "X-TOKEN", ""},
	} {
		c := clientOf(t, &fakes.Server{}, test.change)
		sent := sentBy(t, c, me(func(r *http.Request) { r.Header[test.own] = []string{"Basic eDp5"} }))
		if sent[test.own][0] != "Basic eDp5" || test.want == "" && len(sent) != 1 || test.want != "" && !strings.HasPrefix(sent.Get(test.want), "access-secret") {
			t.Errorf("%s: %v", name, sent)
		}
	}
}

// A caller's cookie stays where ours of that name does not go.
func TestF74_ACallersCookieOfAnotherPathStays(t *testing.T) {
	m := &moody{Server: &fakes.Server{}, trouble: &trouble{}}
	c := troubled(t, m)
	elsewhere := auth.Session{AccessToken: auth.NewSecret("t"), RefreshToken: auth.NewSecret(m.Good()), Cookies: []auth.Cookie{
		{Name: "sid", Value: auth.NewSecret("ours"), Path: "/other"}, {Name: "lang", Value: auth.NewSecret("ours"), Path: "/"}}}
	if err := c.Resume(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	sent := sentBy(t, c, me(func(r *http.Request) { r.Header.Set("Cookie", "sid=mine; lang=mine; theme=dark") }))
	if got := strings.Join(sent["Cookie"], "; "); !strings.Contains(got, "sid=mine") || !strings.Contains(got, "theme=dark") || strings.Contains(got, "lang=mine") {
		t.Errorf("Cookie: %s", got)
	}
}

func TestF74_HeadersOfNetHTTPCarryNoToken(t *testing.T) {
	for _, name := range []string{"Host", "content-length", "Transfer-Encoding", "Connection", "Trailer"} {
		_, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Attach: auth.Attach{Header: name}})
		if err == nil || !strings.Contains(err.Error(), "attach.header") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A body is as long as it is, and not as long as it says.
func TestF74_ABodyOfTheClaimedLength(t *testing.T) {
	c := clientOf(t, &fakes.Server{}, func(cfg *silentrefresh.Config) { cfg.MaxReplayBody = 1 << 50 })
	req := stream()
	req.ContentLength = 1 << 49
	if _, err := c.HTTPClient().Do(req); err == nil || !strings.Contains(err.Error(), "shorter than its Content-Length") {
		t.Errorf("error %v", err)
	}
}

// A panic in an observer is told to the Logger, without what it panicked with.
func TestF74_APanicInAnObserverLeavesATrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		calls := 0
		c := clientOf(t, &fakes.Server{}, func(cfg *silentrefresh.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			cfg.Observe = func(silentrefresh.Event) { calls++; panic("hunter2") }
		})
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if said := log.String(); calls != 2 || strings.Count(said, "Observe panicked with a string") != 1 || strings.Contains(said, "hunter2") {
			t.Errorf("%d events; the log says %s", calls, said)
		}
	})
}

func TestF74_PerRPCKeepsTheTokenFromOthers(t *testing.T) {
	c := clientOf(t, &fakes.Server{}, func(cfg *silentrefresh.Config) { cfg.Origins = []string{"https://grpc.example.com:8443"} })
	for uri, listed := range map[string]bool{
		"https://api.example.com/pkg.Service": true, "https://grpc.example.com:8443/pkg.Service": true,
		"https://grpc.example.com/pkg.Service": false, "https://other.example/pkg.Service": false,
		"http://api.example.com/pkg.Service": false, "https://api.example.com@other.example/x": false, "%": false, "": false,
	} {
		md, err := c.PerRPC().GetRequestMetadata(context.Background(), uri)
		if (err == nil) != listed || listed != (md["authorization"] != "") {
			t.Errorf("%q: %d headers, %v", uri, len(md), err)
		}
	}
}

// Names below localhost are asked of the network's DNS.
func TestF74_NamesBelowLocalhostNeedConsent(t *testing.T) {
	for _, host := range []string{"app.localhost", "localhost.", "a.b.localhost:8080"} {
		_, err := silentrefresh.New(silentrefresh.Config{BaseURL: "http://" + host})
		if (err == nil) != (host == "localhost.") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// However long and odd a response of the auth server is, it does not cost more than reading it.
func TestF74_LongResponsesCostLittle(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string]string{
		"a long text": `{"message":"` + strings.Repeat("x", size) + `"}`,
		"deep":        strings.Repeat(`{"a":`, size/5),
		"many codes":  `{"errors":[` + strings.Repeat(`{"code":"no"},`, size/14) + `{"code":"no"}]}`,
		"quotes":      strings.Repeat(`"`, size),
		"a page":      "<html>" + strings.Repeat("<p>token ", size/9),
	} {
		base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			fakes.RespondJSON(400, body)(w, req)
			return w.Result(), nil
		})
		c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base, AuthBase: base})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 3 {
			c.Login(t.Context(), map[string]string{"email": "ada", "password": strings.Repeat("p", 64)})
		}
		if took := time.Since(began) / 3; took > 700*time.Millisecond {
			t.Errorf("%s: %v for one response", name, took)
		}
		c.Close()
	}
}

// What a visitor of a reverse proxy above the transport chooses does not lead the token to another host, whatever proxy
// is below.
func TestF90_AVisitorsHostDoesNotGetTheToken(t *testing.T) {
	c := clientOf(t, &fakes.Server{}, func(cfg *silentrefresh.Config) {
		cfg.BaseURL, cfg.Origins = "http://api.example.com", []string{"http://api.example.com"}
	})
	api, _ := url.Parse("http://api.example.com")
	for host, gets := range map[string]bool{"api.example.com": true, "API.example.com:80": true, "evil.example": false, "api.example.com.evil.example": false, "api.example.com:81": false} {
		var sent *http.Request
		base := fakes.RoundTripFunc(func(out *http.Request) (*http.Response, error) {
			sent = out
			return fakes.ResponseTo(out, 200), nil
		})
		proxy := httputil.NewSingleHostReverseProxy(api)
		proxy.Transport = c.Transport(base)
		visit := httptest.NewRequest("GET", "http://"+host+"/me", nil)
		proxy.ServeHTTP(httptest.NewRecorder(), visit)
		if got := sent.Header.Get("Authorization") != ""; got != gets {
			t.Errorf("Host %s: the token was sent: %v", host, got)
		}
	}
}

// What is written is looked at as net/http writes it.
func TestF90_AnOpaqueURLDoesNotLeadTheTokenAway(t *testing.T) {
	c := clientOf(t, &fakes.Server{})
	for opaque, gets := range map[string]bool{
		"": true, "//api.example.com/a%2Fb": true, "//API.example.com:443/x": true,
		"//evil.example/me": false, "/me": false, "http://evil.example/me": false, "//api.example.com@evil.example/": false, "//": false, "evil.example:443": false,
	} {
		sent := sentBy(t, c, me(func(r *http.Request) { r.URL.Opaque = opaque }))
		if got := sent.Get("Authorization") != ""; got != gets {
			t.Errorf("opaque %q: the token was sent: %v", opaque, got)
		}
	}
}

// The one who sets a Host on purpose learns why there is no token.
func TestF90_AHostThatIsNotListedIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &history{}
		c := clientOf(t, &fakes.Server{}, h.observe)
		for range 3 {
			sentBy(t, c, me(func(r *http.Request) { r.Host = "tenant.example.com" }))
		}
		synctest.Wait()
		var said bytes.Buffer
		for _, ev := range h.evs {
			if ev.Kind == silentrefresh.EventWarning {
				said.WriteString(ev.Err.Error())
			}
		}
		if strings.Count(said.String(), "Host") != 1 {
			t.Errorf("warnings %q", said.String())
		}
	})
}
