package authtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// A client is as little of a client as these tests need: a cookie jar, and the latest tokens by hand.
type client struct {
	t       testing.TB
	s       *authtest.Server
	http    *http.Client
	access  string
	refresh string // where it travels in JSON
}

func newClient(t testing.TB, s *authtest.Server) *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, s: s, http: &http.Client{Transport: s.Transport(), Jar: jar}}
}

// loggedIn starts a server and logs in.
func loggedIn(t testing.TB, c authtest.Config) (*authtest.Server, *client) {
	t.Helper()
	s := authtest.NewServer(t, c)
	k := newClient(t, s)
	k.login()
	return s, k
}

// A reply is a response, read to its end.
type reply struct {
	*http.Response
	body string
	doc  map[string]any
}

func (k *client) do(req *http.Request) (reply, error) {
	resp, err := k.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	r := reply{Response: resp, body: string(body)}
	json.Unmarshal(body, &r.doc) // not every response is JSON
	return r, err
}

// call calls an auth endpoint with a JSON document.
func (k *client) call(at authtest.Endpoint, doc string, header ...string) (reply, error) {
	k.t.Helper()
	req, err := http.NewRequest("POST", k.s.AuthURL()+"/auth/"+string(at), strings.NewReader(doc))
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	set(req, header)
	r, err := k.do(req)
	if token, ok := r.doc["accessToken"].(string); ok {
		k.access = token
	}
	if token, ok := r.doc["refreshToken"].(string); ok {
		k.refresh = token
	}
	return r, err
}

func set(req *http.Request, header []string) {
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
}

const credentials = `{"email":"ada@example.com","password":"correct horse"}`

func (k *client) login() reply {
	k.t.Helper()
	r, err := k.call(authtest.Login, credentials)
	if err != nil || r.StatusCode != 200 {
		k.t.Fatalf("login: %v %v", status(r), err)
	}
	return r
}

// renew refreshes, by cookie or by JSON field.
func (k *client) renew(header ...string) (reply, error) {
	k.t.Helper()
	doc := ""
	if k.refresh != "" {
		doc = `{"refreshToken":"` + k.refresh + `"}`
	}
	return k.call(authtest.Refresh, doc, header...)
}

// mustRenew refreshes and expects a status.
func (k *client) mustRenew(want int, header ...string) reply {
	k.t.Helper()
	r, err := k.renew(header...)
	if err != nil || r.StatusCode != want {
		k.t.Fatalf("refresh: %v %v, want %d: %s", status(r), err, want, r.body)
	}
	return r
}

// api sends a request to the API with the present access token.
func (k *client) api(method, path, body string, header ...string) (reply, error) {
	k.t.Helper()
	req, err := http.NewRequest(method, k.s.URL()+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	if k.access != "" {
		req.Header.Set("Authorization", "Bearer "+k.access)
	}
	set(req, header)
	return k.do(req)
}

// mustGet gets path of the API and expects a status.
func (k *client) mustGet(path string, want int, header ...string) reply {
	k.t.Helper()
	r, err := k.api("GET", path, "", header...)
	if err != nil || r.StatusCode != want {
		k.t.Fatalf("GET %s: %v %v, want %d", path, status(r), err, want)
	}
	return r
}

func status(r reply) int {
	if r.Response == nil {
		return 0
	}
	return r.StatusCode
}

func (k *client) expect(what string, got, want int) {
	k.t.Helper()
	if got != want {
		k.t.Errorf("%s: %d, want %d", what, got, want)
	}
}
