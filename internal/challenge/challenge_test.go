package challenge

import (
	"net/http"
	"strings"
	"testing"
)

func TestF13_ChallengesSayWhetherTheTokenWasRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fields []string
		want   bool
	}{
		{"no challenge", nil, true},
		{"empty field", []string{""}, true},
		{"bare Bearer", []string{"Bearer"}, true},
		{"realm only", []string{`Bearer realm="api"`}, true},
		{"invalid_token", []string{`Bearer realm="api", error="invalid_token", error_description="expired, sorry"`}, true},
		{"unquoted", []string{`Bearer error=invalid_token`}, true},
		{"insufficient_scope", []string{`Bearer error="insufficient_scope", scope="admin"`}, false},
		{"insufficient_scope unquoted", []string{`bearer error=insufficient_scope`}, false},
		{"space around equals", []string{`Bearer error = "insufficient_scope"`}, false},
		{"parameter names in capitals", []string{`BEARER ERROR="insufficient_scope"`}, false},
		{"error last", []string{`Bearer realm="a", scope="x y", error="insufficient_scope"`}, false},
		{"invalid_request", []string{`Bearer error="invalid_request"`}, false},
		{"the word in a quoted comma list", []string{`Bearer realm="x, error=insufficient_scope", error="invalid_token"`}, true},
		{"escaped quote before it", []string{`Bearer realm="a\"b, error=insufficient_scope", error="invalid_token"`}, true},
		{"escaped inside the code", []string{`Bearer error="insufficient\_scope"`}, false},
		{"of another challenge", []string{`Bearer realm="a", DPoP error="insufficient_scope"`}, true},
		{"Basic before Bearer", []string{`Basic realm="x", Bearer error="insufficient_scope"`}, false},
		{"Basic before Bearer, token refused", []string{`Basic realm="x", Bearer error="invalid_token"`}, true},
		{"several fields", []string{`Basic realm="x"`, `Bearer error="insufficient_scope"`}, false},
		{"token68 before Bearer", []string{`Negotiate abc==, Bearer error="insufficient_scope"`}, false},
		{"Basic only", []string{`Basic realm="intranet"`}, false},
		{"Negotiate and NTLM", []string{"Negotiate", "NTLM"}, false},
		{"Digest only", []string{`Digest realm="x", nonce="n", qop="auth"`}, false},
		{"another scheme", []string{`JWT realm="api"`}, true},
		{"another scheme beside Basic", []string{`Basic realm="x", Token realm="api"`}, true},
		{"unclosed quote", []string{`Bearer realm="a, error="insufficient_scope`}, true},
		{"garbage", []string{"\x01\x02, =, ==, \""}, true},
		{"leading commas", []string{`,, , Bearer error="insufficient_scope"`}, false},
		{"tab", []string{"Bearer realm=\"a\",\terror=\"insufficient_scope\""}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := RejectsToken(http.Header{"Www-Authenticate": tt.fields}); got != tt.want {
				t.Errorf("rejected401(%q) = %t, want %t", tt.fields, got, tt.want)
			}
		})
	}
}

func TestChallengesAreReadInOrder(t *testing.T) {
	var got []string
	Each([]string{`Basic realm="a b", charset=UTF-8, Negotiate a9/+==, Bearer`, `DPoP algs="ES256 PS256", x="\\\""`},
		func(scheme, name, value string) { got = append(got, scheme+"|"+name+"|"+value) })
	want := []string{"Basic||", "Basic|realm|a b", "Basic|charset|UTF-8", "Negotiate||", "Bearer||",
		"DPoP||", "DPoP|algs|ES256 PS256", `DPoP|x|\"`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestF13_LongChallengesCostNoMemory(t *testing.T) {
	h := http.Header{"Www-Authenticate": {strings.Repeat(`Bearer realm="x", `, 10_000) + `error="invalid_token"`}}
	if n := testing.AllocsPerRun(5, func() { RejectsToken(h) }); n > 10 {
		t.Errorf("%v allocations for one header, want next to none", n)
	}
}

func FuzzChallenges(f *testing.F) {
	for _, s := range []string{"", "Bearer", `Bearer realm="a", error="insufficient_scope"`, "Negotiate abc==, Basic realm=x",
		`Bearer realm="\"\\", x=y`, `a b=c="d", "`, "Bearer error=\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		found, scheme := 0, ""
		Each([]string{field}, func(s, name, value string) {
			found++
			switch {
			case name == "" && !isToken(s):
				t.Errorf("%q is not a scheme", s)
			case name == "":
				scheme = s
			case s != scheme || !isToken(name):
				t.Errorf("parameter %q of %q came after the challenge %q", name, s, scheme)
			case len(value) > len(field):
				t.Errorf("%q grew to %q", field, value)
			}
		})
		if limit := 2 + 2*strings.Count(field, ",") + strings.Count(field, "="); found > limit {
			t.Errorf("%d findings in %q", found, field)
		}
		RejectsToken(http.Header{"Www-Authenticate": {field}})
	})
}
