package endpoint

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

func TestF88_WhenATokenEnds(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	const life = 5 * time.Minute
	end := now.Add(life).UTC()
	for _, tt := range []struct {
		field      string
		path, unit string
		want       time.Duration
	}{
		{`"expires_in":3599.5`, "", "", 3599500 * time.Millisecond},
		{`"expires_in":"3600"`, "", "", time.Hour},
		{`"expires_in":"3599.5"`, "", "", 3599500 * time.Millisecond},
		{`"expires_in":"3600s"`, "", "", time.Hour},
		{`"expires_in":" 3600 "`, "", "", time.Hour},
		{`"expires_in":3.6e3`, "", "", time.Hour},
		{`"expires_in":"PT1H30M"`, "", "", 90 * time.Minute},
		{`"expires_in":"P1DT0.5H"`, "", "", 24*time.Hour + 30*time.Minute},
		{`"expires_in":"1 hour"`, "", "", time.Hour},
		{`"expires_in_ms":300000`, "", "", life},
		{`"expiresInMs":"300000"`, "", "", life},
		{`"expires_in_millis":300000.0`, "", "", life},
		{`"expiresInMilliseconds":300000`, "", "", life},
		{`"expires_in_minutes":5`, "", "", life},
		{`"expiresInMin":5`, "", "", life},
		{`"expiresInSec":300`, "", "", life},
		{`"expires_in_seconds":300`, "", "", life},
		{`"expires_in_s":300`, "", "", life},
		{`"expires_in_hours":2`, "", "", 2 * time.Hour},
		{`"expires_in_days":1`, "", "", 24 * time.Hour},
		{`"access_token_expires_in_ms":300000`, "", "", life},
		{fmt.Sprintf(`"expires_at_ms":%d`, end.UnixMilli()), "", "", life},
		{fmt.Sprintf(`"expiresAtSeconds":%d`, end.Unix()), "", "", life},
		{fmt.Sprintf(`"expires_at":%d`, end.UnixMicro()), "", "", life},
		{fmt.Sprintf(`"expires_at":%d`, end.UnixNano()), "", "", life},
		{`"expires":300000`, "", "ms", life},
		{`"expires":5`, "", "m", life},
		{`"expires":"5"`, "", "m", life},
		{`"expires":"300s"`, "", "m", life},
		{`"expires_in_ms":300`, "", "s", life},
		{`"lease":{"duration":300000}`, "lease.duration", "ms", life},
		{`"lease":{"duration_ms":300000}`, "lease.duration_ms", "", life},
		{`"lease":{"duration_ms":300}`, "lease.duration_ms", "s", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format(time.RFC3339Nano)), "", "ms", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format("2006-01-02T15:04:05-0700")), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format("2006-01-02 15:04:05 MST")), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.In(time.FixedZone("", 7200)).Format("2006-01-02 15:04:05.000 -0700")), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format("2006-01-02 15:04:05 -0700 MST")), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format("20060102T150405Z")), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format(time.RFC850)), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format(time.ANSIC)), "", "", life},
		{fmt.Sprintf(`"expires_at":%q`, end.Format("Mon Jan 02 2006 15:04:05 GMT-0700")+" (Coordinated Universal Time)"), "", "", life},
		{fmt.Sprintf(`"expires_at":"/Date(%d)/"`, end.UnixMilli()), "", "", life},
		{`"expires_in_ms":1e300`, "", "", lifetime.Longest},
		{`"expires_in_days":9999999`, "", "", lifetime.Longest},
		{`"expires_in":"P99999999999D"`, "", "", lifetime.Longest},
		{`"expires_in_ms":-1`, "", "", 0},
		{`"expires_in":"one hour"`, "", "", 0},
		{`"expires_in":"PT"`, "", "", 0},
		{`"expires_in":"P1Y"`, "", "", 0},
		{`"expires_in":"` + strings.Repeat("1", 1000) + `"`, "", "", 0},
		{`"expires_at":"Tue, 14 Nov 2123 22:14:20 EST"`, "", "", 0}, // nobody knows which
		{`"expired":true`, "", "", 0},
	} {
		at := AccessTokenAt{ExpiresJSON: tt.path, ExpiresUnit: tt.unit}
		call := callerOf(t, Settings{AccessToken: at}, fakes.RespondJSON(200, `{"token":"t",`+tt.field+`}`, "Date", now.UTC().Format(http.TimeFormat)))
		s, err := call.login(nil)
		if err != nil || s.AccessToken.Reveal() != "t" || lives(s) != tt.want {
			t.Errorf("%s, unit %q: lives %s, %v; want %s", tt.field, tt.unit, lives(s), err, tt.want)
		}
	}
}

func TestF88_MistakeInTheUnit(t *testing.T) {
	_, err := Settings{AccessToken: AccessTokenAt{ExpiresUnit: "fortnight"}}.Bind(fakes.URL(t, asOrigin), auth.Attach{})
	if err == nil || !strings.Contains(err.Error(), "access_token.expires_unit") {
		t.Error(err)
	}
}
