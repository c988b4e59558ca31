package echo

import (
	"strings"
	"testing"
)

func TestF89_In(t *testing.T) {
	var sent Sent
	sent.Add("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "pw", "----", "ab-cd")
	sent.AddAll(map[string]any{"user": map[string]any{"pins": []any{"no", "long-enough"}}, "list": []string{"another9one"}})
	for text, want := range map[string]bool{
		"unknown_token_3f2504e0-4f89-11d3-9a0c-0305e82c3301": true,
		"UNKNOWN_TOKEN_3F2504E04F89":                         true,
		"3f2504e0":                                           true,
		"0305e82c":                                           true,
		"x_4f89_y":                                           false, // four characters say nothing
		"token_ab_cd_expired":                                true,
		"long enough":                                        true,
		"another9one!":                                       true,
		"invalid_grant":                                      false,
		"AADSTS700082":                                       false,
		"pw_expired":                                         false,
		"":                                                   false,
		strings.Repeat("x", 401):                             true, // nobody wants to read that
	} {
		if got := sent.In(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
	if (&Sent{}).In("anything") {
		t.Error("nothing was sent, and something was found")
	}
}

func FuzzIn(f *testing.F) {
	f.Add("secret-4711-token", "error_", "_x")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		var sent Sent
		sent.Add(secret)
		if len(folded(secret)) < shortest || len(before+secret+after) > longestText {
			return
		}
		if !sent.In(before + secret + after) {
			t.Errorf("%q is shown in %q", secret, before+secret+after)
		}
	})
}
