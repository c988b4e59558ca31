package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

func TestF48_ResponseIsRedacted(t *testing.T) {
	a := auth.NewResponse([]byte(hushDocument))
	for form, v := range forms(a) {
		checkHushed(t, "Response: "+form, v)
	}
	for way, text := range everyOutput(a) {
		if way != "%p" && !strings.Contains(text, auth.Redacted) {
			t.Errorf("%s: %q does not say that something is redacted", way, text)
		}
	}
}

func TestF48_EventIsRedacted(t *testing.T) {
	e := silentrefresh.Event{
		Kind: silentrefresh.EventRetrying, Name: "default", Account: "ada", Time: time.Unix(1, 0), Trigger: silentrefresh.TriggerTimer,
		Err: errors.New("server is down"), Response: auth.NewResponse([]byte(hushDocument)),
	}
	for form, v := range forms(e) {
		checkHushed(t, "Event: "+form, v)
	}
	if text := fmt.Sprintf("%+v", e); !strings.Contains(text, "server is down") || !strings.Contains(text, "retrying") {
		t.Errorf("what is not secret should be readable: %s", text)
	}
}

func TestResponseDecode(t *testing.T) {
	document := []byte(`{"user":{"name":"ada"}}`)
	a := auth.NewResponse(document)
	document[2] = 'X' // the Response has its own copy
	var v struct{ User struct{ Name string } }
	if err := a.Decode(&v); err != nil || v.User.Name != "ada" {
		t.Errorf("decoded %+v, %v", v, err)
	}
	if a.IsZero() {
		t.Error("a document is not nothing")
	}
}

func TestResponseDecodeNothing(t *testing.T) {
	for _, a := range []auth.Response{{}, auth.NewResponse(nil), auth.NewResponse([]byte{})} {
		var v any
		err := a.Decode(&v)
		if err == nil || !strings.Contains(err.Error(), "the event") {
			t.Errorf("the error should say what to do: %v", err)
		}
		if !a.IsZero() || a.String() != "" {
			t.Errorf("%q pretends to hold something", a.String())
		}
	}
}

func TestF48_ResponseDecodeErrorHasNoContent(t *testing.T) {
	for _, document := range []string{hushToken, `"` + hushToken + `"`, `{"access_token":"` + hushToken} {
		var v struct{ N int }
		err := auth.NewResponse([]byte(document)).Decode(&v)
		if err == nil {
			t.Fatalf("%s was decoded", document)
		}
		if strings.Contains(err.Error(), hushToken) || !strings.Contains(err.Error(), "struct") {
			t.Errorf("the error should name the type and no content: %v", err)
		}
		var syntax *json.SyntaxError
		var mismatch *json.UnmarshalTypeError
		if !errors.As(err, &syntax) && !errors.As(err, &mismatch) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
}
