package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// redirecting is a transport that changes where responses redirect to.
type redirecting func(*url.URL) *url.URL

func (f redirecting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if to, err := resp.Location(); err == nil {
		resp.Header.Set("Location", f(to).String())
	}
	return resp, nil
}

// TestF46_SilentStaysWithinTheProvider: redirects are followed within the provider's origins only.
func TestF46_SilentStaysWithinTheProvider(t *testing.T) {
	op := start(t, oauthtest.Config{})
	var visits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Add(1)
		http.Redirect(w, r, op.URL()+r.URL.Query().Get("back"), http.StatusFound)
	}))
	t.Cleanup(other.Close)
	hc := client(t)
	hc.Transport = redirecting(func(to *url.URL) *url.URL {
		if to.Path != "/authorize/resume" || to.Host == strings.TrimPrefix(other.URL, "http://") {
			return to
		}
		detour, _ := url.Parse(other.URL + "?back=" + url.QueryEscape(to.RequestURI()))
		return detour
	})
	grant := auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}}

	_, err := exchanger(t, settings(op)).Exchange(t.Context(), hc, grant)
	if f := failure(t, err); !strings.Contains(f.Hint, "origins") || f.Refused || visits.Load() != 0 {
		t.Errorf("%d visits, %v", visits.Load(), err)
	}
	keepsSecrets(t, err, auth.Session{})
}

func TestSilentThroughAListedOrigin(t *testing.T) {
	op := start(t, oauthtest.Config{})
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, op.URL()+r.URL.Query().Get("back"), http.StatusFound)
	}))
	t.Cleanup(other.Close)
	there, _ := url.Parse(other.URL)
	hc := client(t)
	hc.Transport = redirecting(func(to *url.URL) *url.URL {
		if to.Path == "/authorize/resume" && !to.Query().Has("seen") {
			detour := *there
			detour.RawQuery = "back=" + url.QueryEscape(to.RequestURI()+"&seen=1")
			return &detour
		}
		return to
	})
	c := settings(op)
	c.Origins = []string{other.URL}
	login(t, exchanger(t, c), hc, op, "ada")
}

func TestSilentRedirectLoop(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/authorize") {
				http.Redirect(w, r, "/authorize", http.StatusFound)
				return true
			}
			return false
		}
	})
	before := op.Calls("/authorize")
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); f.Refused || !strings.Contains(err.Error(), "redirected 20 times") {
		t.Error(err)
	}
	if n := op.Calls("/authorize") - before; n != 20 {
		t.Errorf("%d requests", n)
	}
}

func TestSilentWithoutARedirect(t *testing.T) {
	for _, test := range []struct {
		status int
		want   string
	}{
		{http.StatusOK, "should have redirected"},
		{http.StatusBadRequest, "look at client_id, redirect_uri"},
		{http.StatusInternalServerError, "500"},
		{http.StatusServiceUnavailable, "503"},
	} {
		op := start(t, oauthtest.Config{NoRefreshTokens: true})
		e, hc := exchanger(t, settings(op)), client(t)
		old := login(t, e, hc, op, "ada")
		op.Change(func(p *oauthtest.Config) { p.Intercept = response("/authorize", test.status, "<html>", nil) })
		_, err := refresh(t, e, hc, old)
		if f := failure(t, err); f.Refused || f.MaybeSpent || !f.Unsent || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d: %+v, %v", test.status, f, err)
		}
	}
}
