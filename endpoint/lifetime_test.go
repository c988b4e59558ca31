package endpoint

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// asTime is the auth server's clock in these tests, an hour and more off the local one.
func asTime(skew time.Duration) time.Time { return time.Now().Add(skew).Truncate(time.Second) }

func TestF17_LifetimeDoesNotDependOnTheLocalClock(t *testing.T) {
	const life = 15 * time.Minute
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			now := asTime(skew)
			date := []string{"Date", now.UTC().Format(http.TimeFormat)}
			full := fakes.JWT(t, "iat", now.Unix(), "exp", now.Add(life).Unix())
			noIat := fakes.JWT(t, "exp", now.Add(life).Unix())
			for name, body := range map[string]string{
				"expires_in":          `{"token":"opaque","expires_in":900}`,
				"expires_at":          fmt.Sprintf(`{"token":"opaque","expires_at":%q}`, now.Add(life).Format(time.RFC3339)),
				"unix seconds":        fmt.Sprintf(`{"token":"opaque","expires_at":%d}`, now.Add(life).Unix()),
				"unix milliseconds":   fmt.Sprintf(`{"token":"opaque","expires":%d}`, now.Add(life).UnixMilli()),
				"JWT":                 fmt.Sprintf(`{"token":%q}`, full),
				"JWT without iat":     fmt.Sprintf(`{"token":%q}`, noIat),
				"JWT, longer stated":  fmt.Sprintf(`{"token":%q,"expires_in":86400}`, full),
				"JWT, shorter life":   fmt.Sprintf(`{"token":%q,"expires_in":900}`, fakes.JWT(t, "iat", now.Unix(), "exp", now.Add(24*time.Hour).Unix())),
				"JWT that has an age": fmt.Sprintf(`{"token":%q}`, fakes.JWT(t, "iat", now.Add(-life).Unix(), "exp", now.Add(life).Unix())),
			} {
				call := callerOf(t, Settings{}, fakes.RespondJSON(200, body, date...))
				s, err := call.login(nil)
				if err != nil {
					t.Fatalf("skew %s, %s: %v", skew, name, err)
				}
				if got := lives(s); got != life {
					t.Errorf("skew %s, %s: the token lives %s, want %s", skew, name, got, life)
				}
			}
		})
	}
}

func TestF17_EndKeepsItsMonotonicReading(t *testing.T) { // there is none in a synctest bubble
	s, err := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"t","expires_in":60}`)).login(nil)
	if err != nil || s.Expires == s.Expires.Round(0) {
		t.Errorf("Expires %s, %v: want a monotonic reading", s.Expires, err)
	}
}

func TestF17_LifetimeCountsFromWhenTheRequestWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := callerOf(t, Settings{}, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Second)
			fakes.RespondJSON(200, `{"token":"t","expires_in":60}`)(w, r)
		})
		began := time.Now()
		s, err := call.login(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Issued.Equal(began) || !s.Expires.Equal(began.Add(time.Minute)) {
			t.Errorf("issued %s after the start, ends %s after it", s.Issued.Sub(began), s.Expires.Sub(began))
		}
	})
}

func TestF17_F63_ARepeatedTokenLivesAsLongAsTheServerSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		old := auth.Session{AccessToken: auth.NewSecret("same"), Issued: now, Expires: now.Add(10 * time.Minute)}
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"same","expires_in":900}`))
		call.setCookie("refresh=r1; HttpOnly")
		time.Sleep(time.Minute)
		s, err := call.refresh(old)
		if err != nil || lives(s) != 15*time.Minute {
			t.Errorf("renewed in place: lives %s, %v; want what the server says", lives(s), err)
		}
		time.Sleep(time.Hour)
		s, err = call.refresh(old)
		if err != nil || lives(s) != 15*time.Minute {
			t.Errorf("handed out again after its end: lives %s, %v; want what the server says", lives(s), err)
		}
		call = callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"same"}`))
		call.setCookie("refresh=r1; HttpOnly")
		old.Expires = time.Now().Add(time.Minute)
		if s, err = call.refresh(old); err != nil || !s.Expires.Equal(old.Expires) {
			t.Errorf("repeated without a lifetime: ends %s, %v; want %s", s.Expires, err, old.Expires)
		}
	})
}

func TestF17_BroughtToken(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, tt := range []struct {
		name  string
		token string
		want  time.Time
	}{
		{"fresh", fakes.JWT(t, "iat", at(0), "exp", at(time.Hour)), now.Add(time.Hour)},
		{"older", fakes.JWT(t, "iat", at(-30*time.Minute), "exp", at(30*time.Minute)), now.Add(30 * time.Minute)},
		{"local clock behind", fakes.JWT(t, "iat", at(time.Hour), "exp", at(2*time.Hour)), now.Add(time.Hour)},
		{"local clock ahead", fakes.JWT(t, "iat", at(-2*time.Hour), "exp", at(-time.Hour)), now.Add(-time.Hour)},
		{"no iat", fakes.JWT(t, "exp", at(time.Hour)), now.Add(time.Hour)},
		{"no exp", fakes.JWT(t, "iat", at(0)), time.Time{}},
		{"opaque", "opaque", time.Time{}},
		{"empty", "", time.Time{}},
		{"absurd", fakes.JWT(t, "exp", int64(math.MaxInt64)), now.Add(lifetime.Longest)},
	} {
		if got := bearer.Expiry(tt.token, now); !got.Equal(tt.want) {
			t.Errorf("%s: ends %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestF22_UnknownExpiryIsZero(t *testing.T) {
	for _, body := range []string{
		`{"token":"opaque"}`, `{"token":"opaque","expires_in":0}`, `{"token":"opaque","expires_in":-5}`, `{"token":"opaque","expires_in":"soon"}`,
		`{"token":"opaque","expires_in":null}`, `{"token":"opaque","expires_in":[1]}`, `{"token":"opaque","expires_at":"0001-01-01T00:00:00Z"}`,
		`{"token":"opaque","expires_at":1500000000}`, `{"token":"opaque","expires_in":"NaN"}`,
	} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, body))
		s, err := call.login(nil)
		if err != nil || s.AccessToken.Reveal() != "opaque" || !s.Expires.IsZero() {
			t.Errorf("%s: ends %v, %v; want unknown", body, s.Expires, err)
		}
	}
}

func TestExpiryIsFoundWhereServersPutIt(t *testing.T) {
	far := time.Now().Add(time.Hour).UTC()
	for _, tt := range []struct {
		name, body, path string
		want             time.Duration
	}{
		{"expiresIn", `{"accessToken":"t","expiresIn":900}`, "", 15 * time.Minute},
		{"beside a nested token", `{"data":{"token":"t","expire":"15m"},"expires_in":5}`, "", 15 * time.Minute},
		{"around a nested token", `{"tokens":{"access":{"token":"t"}},"expires_in":900}`, "", 15 * time.Minute},
		{"in an object of its own", `{"token":"t","meta":{"expiresIn":900}}`, "", 15 * time.Minute},
		{"not the user's", `{"token":"t","user":{"expires_at":"` + far.Format(time.RFC3339) + `"}}`, "", 0},
		{"not the refresh token's", `{"access":{"token":"t"},"refresh":{"token":"r","expires":60}}`, "", 0},
		{"by its path", `{"token":"t","auth":{"lease_duration":900},"expires_in":5}`, "auth.lease_duration", 15 * time.Minute},
		{"path that is not there", `{"token":"t","expires_in":5}`, "auth.lease_duration", 0},
		{"nonsense before sense", `{"token":"t","expires_in":0,"expires_at":"x","exp":900}`, "", 15 * time.Minute},
		{"accessTokenExpiresIn", `{"session":{"accessToken":"t","accessTokenExpiresIn":900,"refreshToken":"r"}}`, "", 15 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := callerOf(t, Settings{AccessToken: AccessTokenAt{ExpiresJSON: tt.path}}, fakes.RespondJSON(200, tt.body))
			s, err := call.login(nil)
			if err != nil || s.AccessToken.Reveal() != "t" || lives(s) != tt.want {
				t.Errorf("token %q lives %s, %v; want %s", s.AccessToken.Reveal(), lives(s), err, tt.want)
			}
		})
	}
}

func TestSessionEnds(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	date := now.UTC().Format(http.TimeFormat)
	refresh := fakes.JWT(t, "iat", now.Unix(), "exp", now.Add(time.Hour).Unix())
	for _, tt := range []struct {
		name, body string
		cookies    []string
		want       time.Duration
	}{
		{"refresh_expires_in", `{"access_token":"a","expires_in":60,"refresh_token":"r","refresh_expires_in":3600}`, nil, time.Hour},
		{"never, as Keycloak says it", `{"access_token":"a","refresh_token":"r","refresh_expires_in":0}`, nil, 0},
		{"refresh_token_expires_in", `{"access_token":"a","refresh_token_expires_in":"3600"}`, nil, time.Hour},
		{"object of its own", `{"access":{"token":"a","expires":60},"refresh":{"token":"r","expires":3600}}`, nil, time.Hour},
		{"JWT", `{"access_token":"a","refresh_token":"` + refresh + `"}`, nil, time.Hour},
		{"cookie's Max-Age", `{"token":"a"}`, []string{"sid=x; HttpOnly; Max-Age=3600"}, time.Hour},
		{"cookie's Expires", `{"token":"a"}`, []string{"refreshToken=x; Expires=" + now.Add(time.Hour).UTC().Format(http.TimeFormat)}, time.Hour},
		{"JWT in a session cookie", `{"token":"a"}`, []string{"rt=" + refresh + "; HttpOnly"}, time.Hour},
		{"cookie for scripts", `{"token":"a"}`, []string{"theme=x; Max-Age=3600"}, 0},
		{"session cookie", `{"token":"a"}`, []string{"sid=x; HttpOnly"}, 0},
		{"nothing", `{"token":"a","refresh_token":"r","expires_in":60}`, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Date", date}
			for _, c := range tt.cookies {
				headers = append(headers, "Set-Cookie", c)
			}
			s, err := callerOf(t, Settings{}, fakes.RespondJSON(200, tt.body, headers...)).login(nil)
			if err != nil {
				t.Fatal(err)
			}
			got := time.Duration(0)
			if !s.Ends.IsZero() {
				got = s.Ends.Sub(s.Issued)
			}
			if got != tt.want {
				t.Errorf("the session lives %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCookieTokenEndsWithItsCookie(t *testing.T) {
	for line, want := range map[string]time.Duration{
		"at=t; HttpOnly; Max-Age=900": 15 * time.Minute,
		"at=t; HttpOnly":              0,
		"at=" + fakes.JWT(t, "iat", 1_700_000_000, "exp", 1_700_000_600) + "; Max-Age=900": 10 * time.Minute,
	} {
		call := callerOf(t, Settings{AccessToken: AccessTokenAt{Cookie: "at"}}, fakes.RespondJSON(200, `{"ok":true}`, "Set-Cookie", line,
			"Date", time.Unix(1_700_000_000, 0).UTC().Format(http.TimeFormat)))
		s, err := call.login(nil)
		if err != nil || s.AccessToken.IsZero() || lives(s) != want {
			t.Errorf("the cookie token lives %s, %v; want %s", lives(s), err, want)
		}
	}
}
