package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestF10_OneReplayThenTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{api: func(req *http.Request) (*http.Response, error) { return answerTo(req, 401), nil }}
		c := as.client(t)
		if status, err := get(c); status != 401 || err != nil {
			t.Errorf("status %d, error %v; want the second 401 as it is", status, err)
		}
		if as.count(&as.sent) != 2 {
			t.Errorf("sent %d times, want 2", as.count(&as.sent))
		}
	})
}

func TestF10_AdoptingDoesNotUseTheReplayUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		shared := func(cfg *Config) { cfg.Store = store }
		ours := as.client(t, shared)
		other := as.stranger(t, shared)
		if err := other.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		as.revoke() // what the other has saved is dead, too
		mustGet(t, ours)
		if s := ours.Status().Stats; s.Adopted != 1 || s.Refreshes != 1 {
			t.Errorf("adopted %d, refreshed %d; want 1 and 1", s.Adopted, s.Refreshes)
		}
	})
}

func TestF11_AnEndpointThatAlwaysRefusesIsHeldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{
			before: func(context.Context, Grant) error { time.Sleep(100 * time.Millisecond); return nil },
			api: func(req *http.Request) (*http.Response, error) {
				if req.URL.Path == "/bad" {
					return answerTo(req, 401), nil
				}
				return answerTo(req, 200), nil
			},
		}
		c := as.client(t)
		var slowest time.Duration
		for i := range 1000 {
			resp, err := c.HTTPClient().Get("https://api.example.com/bad")
			if err != nil || resp.StatusCode != 401 {
				t.Fatalf("call %d: %v, %v", i, resp, err)
			}
			began := time.Now()
			mustGet(t, c)
			slowest = max(slowest, time.Since(began))
			time.Sleep(60 * time.Millisecond)
		}
		if _, refreshes, _ := as.counts(); refreshes > 8 {
			t.Errorf("%d refreshes in a minute", refreshes)
		}
		if slowest > 0 {
			t.Errorf("a request elsewhere waited %v", slowest)
		}
		// A replay that succeeds says that rejections mean what they say.
		time.Sleep(2 * time.Minute)
		as.revoke()
		mustGet(t, c)
		if c.book.level != 0 {
			t.Error("the suspicion was not dropped")
		}
	})
}

func TestF12_BodiesAreReplayed(t *testing.T) {
	for _, test := range []struct {
		name   string
		body   func() (io.Reader, int64)
		buffer int64
		status int
		sent   int
	}{
		{"with GetBody", func() (io.Reader, int64) { return strings.NewReader("hello"), 5 }, 0, 200, 2},
		{"0 bytes", func() (io.Reader, int64) { return strings.NewReader(""), 0 }, 0, 200, 2},
		{"known length, no GetBody", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, 5 }, 0, 200, 2},
		{"unknown length", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, -1 }, 0, 401, 1},
		{"over the limit", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, 5 }, 4, 401, 1},
		{"buffering off", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, 5 }, -1, 401, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakeAS{}
				c := as.client(t, func(cfg *Config) { cfg.Buffer = test.buffer })
				as.revoke()
				as.set(func() { as.api = func(req *http.Request) (*http.Response, error) { return answerTo(req, 200), nil } })
				r, n := test.body()
				req, _ := http.NewRequest("POST", "https://api.example.com/items", r)
				if n != 0 {
					req.ContentLength = n
				}
				resp, err := c.Transport(nil).RoundTrip(req)
				if err != nil || resp.StatusCode != test.status || as.count(&as.sent) != test.sent {
					t.Errorf("status %v, error %v, sent %d; want %d, sent %d", resp.StatusCode, err, as.count(&as.sent), test.status, test.sent)
				}
				synctest.Wait()
				if _, refreshes, _ := as.counts(); refreshes != 1 {
					t.Errorf("%d refreshes, want 1: a request that cannot be replayed starts it all the same", refreshes)
				}
			})
		})
	}
}

// onlyReader hides that a body could be read again.
type onlyReader struct{ io.Reader }

func TestF12_ABodyThatFailsIsAnError(t *testing.T) {
	as := &fakeAS{}
	c := as.client(t)
	body := &trackedBody{Reader: io.MultiReader(strings.NewReader("he"), errReader{errors.New("disk on fire")})}
	req, _ := http.NewRequest("POST", "https://api.example.com/items", body)
	req.ContentLength = 5
	if _, err := c.Transport(nil).RoundTrip(req); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("error %v", err)
	}
	if as.count(&as.sent) != 0 || body.closed.Load() != 1 {
		t.Errorf("sent %d times, body closed %d times", as.count(&as.sent), body.closed.Load())
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type trackedBody struct {
	io.Reader
	closed atomic.Int64
}

func (b *trackedBody) Close() error { b.closed.Add(1); return nil }

func TestF12_ARequestThatCannotBeReplayedRefreshesFirstInsideTheMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("down")
		as := &fakeAS{}
		fail := true
		as.set(func() {
			as.before = func(_ context.Context, g Grant) error {
				if g.Kind == Refresh && fail {
					return broken
				}
				return nil
			}
		})
		c := as.client(t)
		time.Sleep(14 * time.Minute) // inside the margin, the timer has failed so far
		stream := func() int {
			req, _ := http.NewRequest("POST", "https://api.example.com/items", onlyReader{strings.NewReader("x")})
			resp, err := c.HTTPClient().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode
		}
		if status := stream(); status != 200 {
			t.Errorf("the token is still good, and the refresh fails: status %d", status)
		}
		fail = false
		time.Sleep(31 * time.Second) // the backoff
		if status := stream(); status != 200 {
			t.Errorf("status %d", status)
		}
		if _, refreshes, _ := as.counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

func TestF12_ExpectContinueIsReplayable(t *testing.T) {
	as := &fakeAS{}
	var bodies atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		as.mu.Lock()
		ok := as.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		as.mu.Unlock()
		if !ok {
			w.Header().Set("Connection", "close")
			w.WriteHeader(401) // before it has read anything
			return
		}
		b, _ := io.ReadAll(r.Body)
		bodies.Add(int64(len(b)))
	}))
	defer srv.Close()
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ExpectContinueTimeout = time.Minute
	defer base.CloseIdleConnections()
	c := as.client(t, func(cfg *Config) { cfg.BaseURL, cfg.Base = srv.URL, base })
	as.revoke()
	body := &trackedBody{Reader: strings.NewReader(strings.Repeat("x", 100_000))}
	req, _ := http.NewRequest("POST", srv.URL+"/upload", body)
	req.ContentLength = -1
	req.Header.Set("Expect", "100-continue")
	resp, err := c.HTTPClient().Do(req)
	if err != nil || resp.StatusCode != 200 || bodies.Load() != 100_000 {
		t.Fatalf("%v, %v, %d bytes arrived", resp, err, bodies.Load())
	}
	resp.Body.Close()
	if n := body.closed.Load(); n == 0 {
		t.Error("the body was not closed")
	}
}

func TestF12_BidirectionalStreamIsNotReadAhead(t *testing.T) {
	as := &fakeAS{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		io.Copy(flushed{w}, r.Body)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	c := as.client(t, func(cfg *Config) { cfg.BaseURL, cfg.Base = srv.URL, srv.Client().Transport })
	pr, pw := io.Pipe()
	req, _ := http.NewRequest("POST", srv.URL+"/chat", pr)
	resp, err := c.HTTPClient().Do(req) // the answer comes before any of the body is written
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, word := range []string{"one", "two"} {
		io.WriteString(pw, word)
		b := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, b); err != nil || string(b) != word {
			t.Fatalf("echo %q, %v", b, err)
		}
	}
	pw.Close()
}

type flushed struct{ http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

func TestF14_AuthCallsDoNotGoThroughTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp := answerTo(req, 401)
			if req.URL.Path == "/auth/login" {
				resp = answerTo(req, 200)
				resp.Header.Set("Content-Type", "application/json")
				resp.Header.Add("Set-Cookie", "refresh=r1; Path=/auth; HttpOnly; Secure")
				resp.Body = io.NopCloser(strings.NewReader(`{"access_token":"a1","expires_in":900}`))
			}
			return resp, nil
		})
		c, err := New(Config{BaseURL: "https://api.example.com", Base: base})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(context.Background(), map[string]string{"email": "ada"}); err != nil {
			t.Fatal(err)
		}
		if err := c.Renew(context.Background()); !errors.Is(err, ErrSessionOver) {
			t.Errorf("a refresh endpoint that answers 401: %v", err)
		}
	})
}

func TestF15_TheCallersRequestIsLeftAlone(t *testing.T) {
	as := &fakeAS{}
	c := as.client(t)
	as.revoke()
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
	over := func(context.Context, Grant) error { return invalidGrant() }
	away := func(context.Context, Grant) error { return down() }
	for _, test := range []struct {
		name    string
		prepare func(as *fakeAS, c *Client)
		status  int
		is      error
	}{
		{"logged in", func(*fakeAS, *Client) {}, 200, nil},
		{"sent, refused, session over", func(as *fakeAS, c *Client) { as.revoke(); as.before = over }, 401, nil},
		{"sent, refused, auth server away", func(as *fakeAS, c *Client) { as.revoke(); as.before = away }, 401, nil},
		{"not sent, expired, auth server away", func(as *fakeAS, c *Client) { as.before = away; time.Sleep(time.Hour) }, 0, &RefreshError{}},
		{"not sent, session over", func(as *fakeAS, c *Client) { as.before = over; c.Renew(context.Background()) }, 0, ErrSessionOver},
		{"not sent, logged out", func(as *fakeAS, c *Client) { c.Logout(context.Background()) }, 0, ErrNoSession},
		{"not sent, closed", func(as *fakeAS, c *Client) { c.Close() }, 0, ErrClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakeAS{}
				c := as.client(t, func(cfg *Config) { cfg.MaxWait = -1 })
				test.prepare(as, c)
				sent := as.count(&as.sent)
				body := &trackedBody{Reader: strings.NewReader("hello")}
				req, _ := http.NewRequest("POST", "https://api.example.com/items", body)
				resp, err := c.Transport(nil).RoundTrip(req)
				synctest.Wait()
				switch {
				case test.status != 0 && (err != nil || resp.StatusCode != test.status):
					t.Errorf("%v, %v; want %d", resp, err, test.status)
				case test.status == 0 && as.count(&as.sent) != sent:
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
	if _, ok := is.(*RefreshError); ok {
		re, ok := errors.AsType[*RefreshError](err)
		return ok && !re.Until.IsZero()
	}
	return errors.Is(err, is)
}

func TestF16_UpgradesAndStreamsPassThrough(t *testing.T) {
	as := &fakeAS{}
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
	c := as.client(t, func(cfg *Config) { cfg.BaseURL, cfg.Base = srv.URL, nil })
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

func TestF53_RefusedAnswersDoNotHoldTheirConnections(t *testing.T) {
	for _, conns := range []int{1, 2} {
		for _, size := range []int{10, heldBody, heldBody + 1, 1 << 20} {
			t.Run(fmt.Sprintf("%d connections, %d bytes", conns, size), func(t *testing.T) {
				as := &fakeAS{}
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					as.mu.Lock()
					ok := as.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
					as.mu.Unlock()
					if !ok {
						w.WriteHeader(401)
						io.WriteString(w, strings.Repeat("x", size))
					}
				}))
				defer srv.Close()
				base := http.DefaultTransport.(*http.Transport).Clone()
				base.MaxConnsPerHost = conns
				defer base.CloseIdleConnections()
				c := as.client(t, func(cfg *Config) { cfg.BaseURL, cfg.Base = srv.URL, base })
				as.revoke()
				times(8, func(int) {
					resp, err := c.HTTPClient().Get(srv.URL)
					if err != nil || resp.StatusCode != 200 {
						t.Errorf("%v, %v", resp, err)
						return
					}
					resp.Body.Close()
				})
			})
		}
	}
}

func TestF53_WhatWasReadOfARefusedAnswerIsStillThere(t *testing.T) {
	for _, size := range []int{0, 10, heldBody, heldBody + 1, 1 << 20} {
		resp := answerTo(nil, 401)
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", size)))
		release(resp)
		b, err := io.ReadAll(resp.Body)
		if len(b) != min(size, heldBody) || (size > heldBody) != errors.Is(err, errCut) {
			t.Errorf("of %d bytes there are %d, error %v", size, len(b), err)
		}
	}
}

func TestF57_OwnCredentialsPassUntouched(t *testing.T) {
	as := &fakeAS{}
	var seen *http.Request
	c := as.client(t, func(cfg *Config) {
		cfg.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
			seen = req
			return answerTo(req, 401), nil
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
	if _, refreshes, _ := as.counts(); refreshes != 0 {
		t.Errorf("%d refreshes", refreshes)
	}
}
