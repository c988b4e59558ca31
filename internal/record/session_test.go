package record

import (
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

func TestF105_TheAbsoluteEndIsKept(t *testing.T) {
	limit := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	b, err := New(auth.Session{AccessToken: auth.NewSecret("t"), Limit: limit}).Encode(false)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Decode(b); err != nil || !r.Session.Limit.Equal(limit) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestF80_ValuesAreKeptByteForByte(t *testing.T) {
	for _, value := range []string{"", "é", "\xe9t\xe9", "\xff\x80", `a"b\c`, "<&>\u2028", "\xef\xbf\xbd"} {
		c := auth.Cookie{Name: "c", Value: auth.NewSecret(value), Domain: "example.com", HostOnly: true, Path: "/"}
		b, err := New(auth.Session{Cookies: []auth.Cookie{c}}).Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Decode(b); err != nil || !r.Session.Cookies[0].Equal(c) {
			t.Errorf("%q came back as %q, %v", value, r.Session.Cookies[0].Value.Reveal(), err)
		}
	}
}

// TestF103_AccountsAreKeptAsTheyCanBeShown, whoever names them: terminals obey control characters.
func TestF103_AccountsAreKeptAsTheyCanBeShown(t *testing.T) {
	const forged, plain = "a\x1b[2Jda\u202e@\r\nexample.com\u009b", "a[2Jda@example.com"
	r := New(auth.Session{Account: forged})
	if next := r.With(auth.Session{Account: forged}); r.Session.Account != plain || next.Session.Account != plain {
		t.Errorf("%q, then %q", r.Session.Account, next.Session.Account)
	}
	r.Session.Account = forged // as an older version has kept it
	b, err := r.Encode(false)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Decode(b); err != nil || r.Session.Account != plain {
		t.Errorf("%+v, %v", r, err)
	}
}
