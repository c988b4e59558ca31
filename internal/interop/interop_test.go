package interop

import (
	"net/http"
	"testing"

	"github.com/go-resty/resty/v2"
	"github.com/google/go-github/v75/github"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// loggedIn returns a Client of server whose tokens have just been revoked.
func loggedIn(t *testing.T, server *authtest.Server) *silentrefresh.Client {
	t.Helper()
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL(), Base: server.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := client.Login(t.Context(), map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
		t.Fatal(err)
	}
	server.RevokeAccess()
	return client
}

func TestResty(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{})
	client := resty.NewWithClient(loggedIn(t, server).HTTPClient())
	var echo struct{ Body string }
	resp, err := client.R().SetBody(map[string]string{"name": "x"}).SetResult(&echo).Post(server.URL() + "/echo")
	if err != nil || resp.StatusCode() != http.StatusOK || echo.Body != `{"name":"x"}` {
		t.Errorf("%v, %v, body %q", resp, err, echo.Body)
	}
	if n := server.Counters(); n.Refreshes != 1 || n.APIUnauthorized != 1 {
		t.Errorf("%+v", n)
	}
}

// A third-party API client that knows nothing of us, against a fake of its server.
func TestGoGitHub(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /api/v3/user":
			w.Write([]byte(`{"login":"ada"}`))
		case "POST /api/v3/repos/ada/engine/issues":
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte(`{"number":7}`))
		default:
			http.NotFound(w, r)
		}
	})})
	gh, err := github.NewClient(loggedIn(t, server).HTTPClient()).WithEnterpriseURLs(server.URL(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	user, _, err := gh.Users.Get(t.Context(), "")
	if err != nil || user.GetLogin() != "ada" {
		t.Fatalf("%v, %v", user, err)
	}
	server.RevokeAccess()
	title := "it works"
	issue, _, err := gh.Issues.Create(t.Context(), "ada", "engine", &github.IssueRequest{Title: &title})
	if err != nil || issue.GetNumber() != 7 {
		t.Errorf("%v, %v", issue, err)
	}
	if n := server.Counters(); n.Refreshes != 2 || n.Reuses != 0 {
		t.Errorf("%+v", n)
	}
}
