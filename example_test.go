package silentrefresh_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

func Example() {
	server, err := authtest.Start(authtest.Config{}) // yours is https://api.example.com
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.Login(ctx, map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
		log.Fatal(err)
	}
	server.RevokeAccess() // the application does not notice
	resp, err := client.HTTPClient().Get(server.URL() + "/me")
	switch {
	case errors.Is(err, silentrefresh.ErrSessionOver):
		log.Fatal("log in again")
	case err != nil:
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, client.Status().Account)
	// Output: 200 OK ada@example.com
}

// A service account logs in again by itself, before its token ends and when its session is lost.
func ExampleConfig_credentials() {
	server, err := authtest.Start(authtest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := silentrefresh.New(silentrefresh.Config{
		BaseURL: server.URL(),
		Credentials: func(context.Context) (any, error) { // from a vault, say
			return map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for range 2 {
		resp, err := client.HTTPClient().Get(server.URL() + "/me")
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
		server.EndSessions()
	}
	fmt.Println(server.Counters().Logins, "logins")
	// Output:
	// 200 OK
	// 200 OK
	// 2 logins
}

// What is not HTTP asks for the token, and says when it was refused.
func ExampleClient_Token() {
	server, err := authtest.Start(authtest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.Login(ctx, map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
		log.Fatal(err)
	}
	token, err := client.Token(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Scheme, token.Value, token.Generation) // a token prints without its text: use token.Value.Reveal()
	client.Reject(token)
	token, err = client.Token(ctx)
	fmt.Println(token.Generation, err)
	// Output:
	// Bearer [redacted] 1
	// 2 <nil>
}

// To test your own program's way through an expiry takes an authtest.Server and no waiting.
func Example_testing() {
	test := func(t *testing.T) {
		server := authtest.NewServer(t, authtest.Config{})
		client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL()})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.Login(t.Context(), map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
			t.Fatal(err)
		}
		server.ExpireAll()
		if resp, err := client.HTTPClient().Get(server.URL() + "/me"); err != nil || resp.StatusCode != http.StatusOK {
			t.Error(resp, err)
		}
		if n := server.Counters(); n.Refreshes != 1 || n.Reuses != 0 {
			t.Errorf("%+v", n)
		}
	}
	_ = test
}
