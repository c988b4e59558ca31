package match

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
)

func response(status int, location, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {location}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		rule           auth.ResponseMatch
		status         int
		location, body string
		want           bool
	}{
		{auth.ResponseMatch{Status: 303}, 303, "/", "", true},
		{auth.ResponseMatch{Status: 302}, 303, "/", "", false},
		{auth.ResponseMatch{Location: "/login"}, 302, "https://x/login?error", "", true},
		{auth.ResponseMatch{Location: "/login"}, 302, "/home", "", false},
		{auth.ResponseMatch{Location: "/login"}, 200, "", "", false},
		{auth.ResponseMatch{Body: "oken expired"}, 200, "", `{"m":"Token expired"}`, true},
		{auth.ResponseMatch{Status: 500, Body: "expired"}, 500, "", `{"m":"Token expired"}`, true},
		{auth.ResponseMatch{Status: 500, Body: "expired"}, 200, "", `{"m":"Token expired"}`, false},
		{auth.ResponseMatch{Status: 500, Body: "expired"}, 500, "", ``, false},
	} {
		if got := (Rules{{Status: 418}, tt.rule}).Match(response(tt.status, tt.location, tt.body)); got != tt.want {
			t.Errorf("%+v on %d %q %.20q: %v", tt.rule, tt.status, tt.location, tt.body, got)
		}
	}
	if (Rules)(nil).Match(response(401, "/login", "x")) {
		t.Error("no rules recognise something")
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	err := Rules{{}, {Status: 99, Body: strings.Repeat("x", 1001)}, {Body: "fine"}}.Check()
	for _, want := range []string{"a rule without", "99 is not", "up to 1000 bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// breaking is a body that fails after its text.
type breaking struct {
	io.Reader
	closed bool
}

var errBroke = errors.New("broke")

func (b *breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errBroke
	}
	return n, err
}

func (b *breaking) Close() error { b.closed = true; return nil }

func TestF86_BodiesAreGivenBackWhole(t *testing.T) {
	rules := Rules{{Status: 200, Body: "expired"}, {Status: 200, Body: "elsewhere"}}
	for _, text := range []string{"", "token expired", strings.Repeat("y", 3*MaxBody)} {
		for _, length := range []int64{-1, int64(len(text))} {
			body := &breaking{Reader: strings.NewReader(text)}
			resp := &http.Response{StatusCode: 200, ContentLength: length, Body: body, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
			if got := rules.Match(resp); got != strings.Contains(text, "expired") {
				t.Errorf("%.20q: %v", text, got)
			}
			b, err := io.ReadAll(resp.Body)
			if string(b) != text || err != errBroke {
				t.Errorf("%d of %d bytes came back, %v", len(b), len(text), err)
			}
			if resp.Body.Close(); !body.closed {
				t.Error("the body was not closed")
			}
		}
	}
}

// unread is a body that must not be read in advance.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }
func (u unread) Close() error             { return nil }

func TestF86_StreamsAreNotRead(t *testing.T) {
	rules := Rules{{Body: "expired"}, {Status: 401}}
	for _, resp := range []*http.Response{
		{StatusCode: 200, ContentLength: -1, Header: http.Header{"Content-Type": {"text/event-stream"}}},
		{StatusCode: 200, ContentLength: MaxBody + 1, Header: http.Header{"Content-Type": {"application/json"}}},
		{StatusCode: 101, ContentLength: 0},
	} {
		resp.Body = unread{t}
		if rules.Match(resp) {
			t.Errorf("%d was recognised", resp.StatusCode)
		}
	}
	if !rules.Match(&http.Response{StatusCode: 401, ContentLength: -1, Body: unread{t}}) {
		t.Error("a status alone was not recognised")
	}
}
