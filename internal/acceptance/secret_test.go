package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

const (
	hushToken    = "hush-token-1f3a"
	hushDocument = `{"access_token":"hush-document-9c2e"}`
)

// hush is what no output may contain, in any of the forms that fmt and encoding/json give to a string or to bytes.
func hush(s string) []string {
	return []string{
		s, fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("% x", s),
		strings.Trim(fmt.Sprint([]byte(s)), "[]"), strings.Trim(fmt.Sprintf("%#v", []byte(s)), "[]byte{}"),
	}
}

// everyOutput is v by every way that values take into logs and dumps.
func everyOutput(v any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "% x", "%t", "%p", "%20v", "%z"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	out["Sprint"] = fmt.Sprint(v)
	out["Errorf"] = fmt.Errorf("failed with %v", v).Error()
	b, err := json.Marshal(v)
	out["json"] = fmt.Sprint(string(b), err)
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var buf bytes.Buffer
		log := slog.New(handler(&buf)).With("with", v).WithGroup("group")
		log.Info("message", "value", v, "slice", []any{v}, slog.Group("g", "in", v))
		out[name] = buf.String()
	}
	return out
}

// secretHolder is somebody else's struct. fmt calls no methods on its unexported fields.
type secretHolder[T any] struct {
	Public  T
	private T
	slice   []T
	array   [1]T
	keyed   map[string]T
	any     any
	pointer *T
}

func hold[T any](v T) secretHolder[T] {
	return secretHolder[T]{v, v, []T{v}, [1]T{v}, map[string]T{"k": v}, v, &v}
}

// forms are the ways to hold v.
func forms[T any](v T) map[string]any {
	h := hold(v)
	return map[string]any{
		"itself": v, "pointer": &v, "slice": []T{v}, "map": map[string]T{"k": v},
		"struct": h, "pointer to struct": &h, "struct in a struct": hold(h), "any": any(v),
	}
}

func checkHushed(t *testing.T, what string, v any) {
	t.Helper()
	for way, text := range everyOutput(v) {
		for _, secret := range []string{hushToken, "hush-document-9c2e"} {
			for _, form := range hush(secret) {
				if strings.Contains(text, form) {
					t.Errorf("%s by %s shows the secret: %s", what, way, text)
				}
			}
		}
	}
}

// The check itself must see a secret in a plain string, or it proves nothing.
func TestF48_TheCheckSees(t *testing.T) {
	for way, text := range everyOutput(secretHolder[string]{Public: hushToken, private: hushToken}) {
		seen := false
		for _, form := range hush(hushToken) {
			seen = seen || strings.Contains(text, form)
		}
		if !seen {
			t.Errorf("%s: the check does not see the secret in %s", way, text)
		}
	}
}

func TestF48_SecretIsRedacted(t *testing.T) {
	for form, v := range forms(auth.NewSecret(hushToken)) {
		checkHushed(t, "Secret: "+form, v)
	}
}

func TestF48_SessionAndCookieAreRedacted(t *testing.T) {
	secret := auth.NewSecret(hushToken)
	c := auth.Cookie{Name: "refresh", Value: secret, Domain: "example.com", Path: "/"}
	s := auth.Session{
		AccessToken: secret, RefreshToken: secret, Cookies: []auth.Cookie{c}, CSRF: secret, Extra: secret,
		Account: "ada", Expires: time.Unix(1, 0), Response: auth.NewResponse([]byte(hushDocument)),
	}
	for form, v := range forms(c) {
		checkHushed(t, "Cookie: "+form, v)
	}
	for form, v := range forms(s) {
		checkHushed(t, "Session: "+form, v)
	}
	for form, v := range forms(auth.Grant{Kind: auth.KindRefresh, Old: s}) {
		checkHushed(t, "Grant: "+form, v)
	}
	checkHushed(t, "Jar", auth.NewJar(c))
}

// A struct like those that users build around a token.
func TestF48_StructsAroundSecretsAreRedacted(t *testing.T) {
	type token struct {
		Value  auth.Secret
		Scheme string
	}
	type client struct {
		Name  string
		token token
		last  *token
	}
	tok := token{auth.NewSecret(hushToken), "Bearer"}
	for form, v := range forms(tok) {
		checkHushed(t, "token: "+form, v)
	}
	for form, v := range forms(client{"c", tok, &tok}) {
		checkHushed(t, "client: "+form, v)
	}
}

func TestF48_RedactedIsReadable(t *testing.T) {
	s := auth.NewSecret(hushToken)
	for way, text := range everyOutput(s) {
		if way != "%p" && !strings.Contains(text, auth.Redacted) { // %p never asks the value
			t.Errorf("%s: %q does not say that something is redacted", way, text)
		}
	}
	session := auth.Session{AccessToken: s, Account: "ada"}
	b, err := json.Marshal(session)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(b), fmt.Sprintf("%+v", session)} {
		if !strings.Contains(text, auth.Redacted) || !strings.Contains(text, "ada") {
			t.Errorf("what is not secret should be readable: %s", text)
		}
	}
}

func TestSecret(t *testing.T) {
	var none auth.Secret
	a, same, b := auth.NewSecret("a"), auth.NewSecret("a"), auth.NewSecret("b")
	if !none.IsZero() || !auth.NewSecret("").IsZero() || a.IsZero() {
		t.Error("only the empty Secret is zero")
	}
	if none.Reveal() != "" || a.Reveal() != "a" {
		t.Errorf("Reveal: %q, %q", none.Reveal(), a.Reveal())
	}
	if !a.Equal(same) || a.Equal(b) || a.Equal(none) || !none.Equal(auth.NewSecret("")) {
		t.Error("equal compares something other than the text")
	}
	for way, text := range everyOutput(none) {
		if strings.Contains(text, auth.Redacted) {
			t.Errorf("%s: an empty Secret pretends to hold something: %s", way, text)
		}
	}
	if text, err := a.MarshalText(); err != nil || string(text) != auth.Redacted {
		t.Errorf("MarshalText: %q, %v", text, err)
	}
	if b, err := json.Marshal(map[string]auth.Secret{"s": none}); err != nil || string(b) != `{"s":""}` {
		t.Errorf("an empty Secret in JSON: %s, %v", b, err)
	}
}

func TestF48_FixedHeadersAndFields(t *testing.T) {
	call := endpoint.Call{URL: "/auth/login?key=api-key-1", Headers: map[string]string{"X-Api-Key": "api-key-2"}, Fields: map[string]any{"client_secret": "api-key-3"}}
	for _, v := range []any{call, &call, endpoint.Settings{Login: call}, &endpoint.Settings{Login: call}, silentrefresh.Config{Endpoint: endpoint.Settings{Login: call}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "api-key") {
				t.Errorf("%s of a %T: %s", verb, v, out)
			}
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "call", call, "endpoint", endpoint.Settings{Login: call})
	if strings.Contains(log.String(), "api-key") || !strings.Contains(log.String(), "/auth/login") {
		t.Errorf("log: %s", log.String())
	}
}
