package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// A server that counts in whole seconds: a token of three seconds, signed at the end of one, lives for two of them and a
// bit. No request is sent with one that has ended so.
func TestF88_NoRequestIsSentWithATokenThatEndedByRounding(t *testing.T) {
	for _, life := range []int64{3, 4, 5, 60} {
		for _, within := range []time.Duration{0, 500 * time.Millisecond, 990 * time.Millisecond} {
			for _, margin := range []time.Duration{0, 100 * time.Millisecond} {
				t.Run(fmt.Sprintf("%d s, %v after a full one, margin %v", life, within, margin), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						time.Sleep(within)
						if sent, ended := sentWithRounded(t, life, margin); ended > 0 || sent == 0 {
							t.Errorf("%d of %d requests had a token that had ended", ended, sent)
						}
					})
				})
			}
		}
	}
}

// sentWithRounded is how many requests an API gets in half a minute, and how many with a token that has ended, where tokens
// have their end inside, rounded down to a second.
func sentWithRounded(t *testing.T, life int64, margin time.Duration) (sent, ended int) {
	t.Helper()
	base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, http.StatusOK)
		resp.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		if !strings.HasPrefix(req.URL.Path, "/auth/") {
			sent++
			c := jwt.MapClaims{}
			token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
			if _, _, err := jwt.NewParser().ParseUnverified(token, c); err != nil {
				t.Error(err)
			}
			if end, _ := c.GetExpirationTime(); !time.Now().Before(end.Time) {
				ended++
				resp.StatusCode = http.StatusUnauthorized
			}
			return resp, nil
		}
		now := time.Now()
		token := fakes.JWT(t, "iat", now.Unix(), "exp", now.Unix()+life, "jti", now.String())
		rec := httptest.NewRecorder()
		fakes.RespondJSON(200, fmt.Sprintf(`{"token": %q}`, token), "Set-Cookie", "refresh=r; Path=/auth; HttpOnly",
			"Date", resp.Header.Get("Date"))(rec, req)
		return rec.Result(), nil
	})
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base, AuthBase: base, RefreshBefore: margin})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		time.Sleep(50 * time.Millisecond)
		if resp, err := c.HTTPClient().Get("https://api.example.com/me"); err != nil {
			t.Error(err)
		} else {
			resp.Body.Close()
		}
	}
	return sent, ended
}
