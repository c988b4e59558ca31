package acceptance

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// A refresh that brings somebody else's token ends the session at once, and is not tried again.
func TestF87_AnAccountThatChangesEndsTheSessionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		as.Set(func() { as.After = fakes.AsBob })
		as.Revoke()
		if err := c.Renew(t.Context()); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("Renew: %v", err)
		}
		calls := as.Count(&as.Calls)
		for range 24 {
			time.Sleep(time.Hour)
			get(c)
		}
		if more := as.Count(&as.Calls) - calls; more != 0 || c.Status().State != silentrefresh.StateOver {
			t.Errorf("%d more calls in a day, state %q", more, c.Status().State)
		}
	})
}

// What an API response hands out belongs to the account that the settings identify: a name in sub may change.
func TestF87_AHandedOutTokenIsReadAlike(t *testing.T) {
	token := func(n, uid int) string { return fakes.JWT(t, "sub", n, "uid", uid) }
	handed := token(2, 7)
	base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, http.StatusOK)
		if req.URL.Path == "/auth/login" {
			resp.Header["Authorization"] = []string{"Bearer " + token(1, 7)}
			return resp, nil
		}
		resp.Header["X-Next"] = []string{handed}
		return resp, nil
	})
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base, AuthBase: base, HandOutHeader: "X-Next",
		Endpoint: endpoint.Settings{Account: endpoint.AccountAt{Claim: "uid"}, AccessToken: endpoint.AccessTokenAt{Header: "Authorization"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		handed string
		want   string
	}{{handed, handed}, {token(3, 8), handed}} {
		handed = step.handed
		resp, err := c.HTTPClient().Get("https://api.example.com/items")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, err := c.Token(t.Context()); err != nil || got.Value.Reveal() != step.want {
			t.Errorf("token %+v, %v; want the one of account 7", got, err)
		}
	}
}

// What has ended before it is brought is not used, and Status says when it ended.
func TestF85_WhatHasEndedHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(context.Context, auth.Grant) error { return fakes.Down() }}
		c := strangerOf(t, as, atOnce)
		time.Sleep(24 * time.Hour)
		ended := time.Now().Add(-5 * time.Hour)
		s := auth.Session{AccessToken: auth.NewSecret("old"), RefreshToken: auth.NewSecret("r"), Expires: ended}
		if err := c.Resume(t.Context(), s); err == nil {
			t.Error("the refresh of a server that is down succeeded")
		}
		if _, err := get(c); err == nil || as.Count(&as.Sent) != 0 {
			t.Errorf("error %v, %d requests sent with the ended token", err, as.Count(&as.Sent))
		}
		if _, err := c.Token(t.Context()); err == nil {
			t.Error("Token gave the ended token")
		}
		if got := c.Status().Expires; !got.Equal(ended) {
			t.Errorf("Status says that it ends %v, want %v", got, ended)
		}
	})
}

// Both halves of a double submit go to the API: the header, and the cookie that it repeats.
func TestF81_BothHalvesOfADoubleSubmitTravelTogether(t *testing.T) {
	seen := make(chan http.Header, 1)
	base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, http.StatusOK)
		if req.URL.Path == "/auth/login" {
			resp.Header["Set-Cookie"] = []string{"at=token; Path=/; HttpOnly", "csrf_access=c1; Path=/", "refresh=r; Path=/auth; HttpOnly"}
			return resp, nil
		}
		seen <- req.Header
		return resp, nil
	})
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base, AuthBase: base, Endpoint: endpoint.Settings{
		AccessToken: endpoint.AccessTokenAt{Cookie: "at"},
		CSRF:        endpoint.CSRF{Cookie: "csrf_refresh", APICookie: "csrf_access", Header: "X-CSRF"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	resp, err := c.HTTPClient().Post("https://api.example.com/items", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	h := <-seen
	if h.Get("X-Csrf") != "c1" || h.Get("Cookie") != "csrf_access=c1; at=token" {
		t.Errorf("header %q, cookies %q", h.Get("X-Csrf"), h.Get("Cookie"))
	}
}
