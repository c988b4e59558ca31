package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF14_AuthCallsDoNotGoThroughTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp := fakes.ResponseTo(req, 401)
			if req.URL.Path == "/auth/login" {
				resp = fakes.ResponseTo(req, 200)
				resp.Header.Set("Content-Type", "application/json")
				resp.Header.Add("Set-Cookie", "refresh=r1; Path=/auth; HttpOnly; Secure")
				resp.Body = io.NopCloser(strings.NewReader(`{"access_token":"a1","expires_in":900}`))
			}
			return resp, nil
		})
		c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(context.Background(), map[string]string{"email": "ada"}); err != nil {
			t.Fatal(err)
		}
		if err := c.Renew(context.Background()); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("a refresh endpoint that returns 401: %v", err)
		}
	})
}

func TestF15_TheCallersRequestIsLeftAlone(t *testing.T) {
	as := &fakes.Server{}
	c := clientOf(t, as)
	as.Revoke()
	body := &trackedBody{Reader: strings.NewReader("hello")}
	req, _ := http.NewRequest("POST", "https://api.example.com/items", body)
	req.ContentLength = 5
	req.Header.Set("X-Mine", "1")
	before := fmt.Sprintf("%v %p %d", req.Header, req.Body, req.ContentLength)
	resp, err := c.Transport(nil).RoundTrip(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	if after := fmt.Sprintf("%v %p %d", req.Header, req.Body, req.ContentLength); after != before {
		t.Errorf("the request was changed from %s to %s", before, after)
	}
	if resp.Request != req {
		t.Error("Response.Request is not the caller's")
	}
	if n := body.closed.Load(); n != 1 {
		t.Errorf("the body was closed %d times", n)
	}
}

func TestF15_TableOfOutcomes(t *testing.T) {
	over := func(context.Context, auth.Grant) error { return fakes.InvalidGrant() }
	away := func(context.Context, auth.Grant) error { return fakes.Down() }
	for _, test := range []struct {
		name    string
		prepare func(as *fakes.Server, c *silentrefresh.Client)
		status  int
		is      error
	}{
		{"logged in", func(*fakes.Server, *silentrefresh.Client) {}, 200, nil},
		{"sent, refused, session over", func(as *fakes.Server, c *silentrefresh.Client) { as.Revoke(); as.Set(func() { as.Before = over }) }, 401, nil},
		{"sent, refused, auth server away", func(as *fakes.Server, c *silentrefresh.Client) { as.Revoke(); as.Set(func() { as.Before = away }) }, 401, nil},
		{"not sent, expired, auth server away", func(as *fakes.Server, c *silentrefresh.Client) {
			as.Set(func() { as.Before = away })
			time.Sleep(time.Hour)
		}, 0, &auth.Error{}},
		{"not sent, session over", func(as *fakes.Server, c *silentrefresh.Client) {
			as.Set(func() { as.Before = over })
			time.Sleep(16 * time.Minute)
		}, 0, silentrefresh.ErrSessionOver},
		{"not sent, logged out", func(as *fakes.Server, c *silentrefresh.Client) { c.Logout(context.Background()) }, 0, silentrefresh.ErrNoSession},
		{"not sent, closed", func(as *fakes.Server, c *silentrefresh.Client) { c.Close() }, 0, silentrefresh.ErrClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.MaxWait = -1 })
				test.prepare(as, c)
				sent := as.Count(&as.Sent)
				body := &trackedBody{Reader: strings.NewReader("hello")}
				req, _ := http.NewRequest("POST", "https://api.example.com/items", body)
				resp, err := c.Transport(nil).RoundTrip(req)
				synctest.Wait()
				switch {
				case test.status != 0 && (err != nil || resp.StatusCode != test.status):
					t.Errorf("%v, %v; want %d", resp, err, test.status)
				case test.status == 0 && as.Count(&as.Sent) != sent:
					t.Error("it was sent")
				case test.status == 0 && !matches(err, test.is):
					t.Errorf("error %v, want %v", err, test.is)
				case test.status == 0 && body.closed.Load() == 0:
					t.Error("the body was not closed")
				}
			})
		})
	}
}

func matches(err, is error) bool {
	if _, ok := is.(*auth.Error); ok {
		re, ok := errors.AsType[*auth.Error](err)
		return ok && !re.Until.IsZero()
	}
	return errors.Is(err, is)
}

func TestF16_UpgradesAndStreamsPassThrough(t *testing.T) {
	as := &fakes.Server{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "echo")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			io.CopyN(rw, rw, 5)
			rw.Flush()
			return
		}
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	}))
	defer srv.Close()
	c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.BaseURL, cfg.Base = srv.URL, nil })
	req, _ := http.NewRequest("GET", srv.URL+"/ws", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := c.HTTPClient().Do(req)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	rw, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatal("the connection cannot be written to")
	}
	io.WriteString(rw, "hello")
	b := make([]byte, 5)
	if _, err := io.ReadFull(rw, b); err != nil || string(b) != "hello" {
		t.Errorf("echo %q, %v", b, err)
	}
	rw.Close()
	resp, err = c.HTTPClient().Get(srv.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || strings.Count(string(b), "data:") != 3 {
		t.Errorf("stream %q, %v", b, err)
	}
}

func TestF57_OwnCredentialsPassUntouched(t *testing.T) {
	as := &fakes.Server{}
	var seen *http.Request
	c := clientOf(t, as, func(cfg *silentrefresh.Config) {
		cfg.Base = fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			seen = req
			return fakes.ResponseTo(req, 401), nil
		})
	})
	for name, change := range map[string]func(*http.Request){
		"Authorization": func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") },
		"empty header":  func(r *http.Request) { r.Header["Authorization"] = nil },
		"userinfo":      func(r *http.Request) { r.URL.User = url.UserPassword("ada", "pw") },
	} {
		req, _ := http.NewRequest("GET", "https://api.example.com/me", nil)
		change(req)
		resp, err := c.Transport(nil).RoundTrip(req)
		if err != nil || resp.StatusCode != 401 || seen != req {
			t.Errorf("%s: %v, %v, untouched %v", name, resp, err, seen == req)
		}
	}
	if _, refreshes, _ := as.Counts(); refreshes != 0 {
		t.Errorf("%d refreshes", refreshes)
	}
}
