package silentrefresh_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
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

// What is not HTTP asks for the token, and says when it was rejected.
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

// A call that is not plain HTTP is made again, once, when its token was rejected.
func ExampleClient_Call() {
	server, client := started(authtest.Config{}, nil)
	defer server.Close()
	defer client.Close()
	ctx := context.Background()
	if err := client.Login(ctx, ada); err != nil {
		log.Fatal(err)
	}
	dial := func(token silentrefresh.Token) (rejected bool) { // a WebSocket, say
		fmt.Println("dialling with token", token.Generation)
		return token.Generation == 1
	}
	call := client.Call("/events")
	for {
		token, err := call.Token(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if !dial(token) {
			call.Served()
			break
		}
		if !call.Retry(ctx) {
			log.Fatal("the token is rejected")
		}
	}
	// Output:
	// dialling with token 1
	// dialling with token 2
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

// started returns a server for an example, and a client of it that is logged in.
func started(cfg authtest.Config, change func(*silentrefresh.Config)) (*authtest.Server, *silentrefresh.Client) {
	server, err := authtest.Start(cfg)
	if err != nil {
		log.Fatal(err)
	}
	settings := silentrefresh.Config{BaseURL: server.URL()}
	if change != nil {
		change(&settings)
	}
	client, err := silentrefresh.New(settings)
	if err != nil {
		log.Fatal(err)
	}
	return server, client
}

var ada = map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}

// A server that keeps the refresh token in the body needs one setting.
func ExampleConfig_endpoint() {
	server, client := started(authtest.Config{RefreshIn: authtest.InJSON}, func(cfg *silentrefresh.Config) {
		cfg.Endpoint = endpoint.Settings{
			Refresh: endpoint.Call{RefreshTokenField: "refreshToken"},
			Logout:  endpoint.Call{RefreshTokenField: "refreshToken"},
		}
	})
	defer server.Close()
	defer client.Close()
	ctx := context.Background()
	if err := client.Login(ctx, ada); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Renew(ctx), client.Status().State)
	// Output: <nil> logged in
}

// A session that exists already, from a browser or an older program, is refreshed first, as a page does.
func ExampleClient_Resume() {
	server, client := started(authtest.Config{}, nil)
	defer server.Close()
	defer client.Close()
	resp, err := http.Post(server.URL()+"/auth/login", "application/json",
		strings.NewReader(`{"email":"`+authtest.DefaultEmail+`","password":"`+authtest.DefaultPassword+`"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var session auth.Session
	for _, c := range resp.Cookies() {
		session.Cookies = append(session.Cookies, auth.Cookie{Name: c.Name, Value: auth.NewSecret(c.Value), Path: c.Path})
	}
	if err := client.Resume(context.Background(), session); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Status().State)
	// Output: logged in
}

// Transport fits under any client that takes an http.RoundTripper, and over any that is one.
func ExampleClient_Transport() {
	server, client := started(authtest.Config{}, nil)
	defer server.Close()
	defer client.Close()
	if err := client.Login(context.Background(), ada); err != nil {
		log.Fatal(err)
	}
	traced := roundTripper(func(req *http.Request) (*http.Response, error) { // what is below sees the token
		fmt.Println(req.Method, req.URL.Path, req.Header.Get("Authorization") != "")
		return http.DefaultTransport.RoundTrip(req)
	})
	hc := &http.Client{Transport: client.Transport(traced), Timeout: time.Minute}
	resp, err := hc.Get(server.URL() + "/me")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	// Output: GET /me true
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Many users in one process share settings and connections, and nothing else.
func ExampleClient_Fork() {
	server, client := started(authtest.Config{}, nil)
	defer server.Close()
	defer client.Close()
	for _, user := range []string{"ada", "bob"} {
		session, err := client.Fork(user)
		if err != nil {
			log.Fatal(err)
		}
		defer session.Close()
		if err := session.Login(context.Background(), ada); err != nil {
			log.Fatal(err)
		}
		fmt.Println(session.Status().Name, session.Status().State)
	}
	// Output:
	// ada logged in
	// bob logged in
}

// vault gives out tokens without any HTTP endpoint: an Exchanger says only how one session becomes the next.
type vault struct{ issued int }

func (v *vault) Exchange(_ context.Context, _ *http.Client, g auth.Grant) (auth.Session, error) {
	if g.Kind == auth.KindLogout {
		return auth.Session{}, nil
	}
	if g.Kind == auth.KindRefresh && g.Old.RefreshToken.Reveal() != fmt.Sprint("lease-", v.issued) {
		return auth.Session{}, &auth.Error{Refused: true, Code: "lease_expired"} // only a login helps
	}
	v.issued++
	now := time.Now()
	return auth.Session{
		AccessToken:  auth.NewSecret(fmt.Sprint("token-", v.issued)),
		RefreshToken: auth.NewSecret(fmt.Sprint("lease-", v.issued)), // one-use, like those of most servers
		Issued:       now, Expires: now.Add(time.Hour),
	}, nil
}

func ExampleConfig_exchanger() {
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: &vault{}})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.Login(ctx, nil); err != nil {
		log.Fatal(err)
	}
	if err := client.Renew(ctx); err != nil {
		log.Fatal(err)
	}
	token, err := client.Token(ctx)
	fmt.Println(token.Value.Reveal(), err)
	// Output: token-2 <nil>
}

// The observer is told what happens, in order; what the auth server's response carries beside the token is in it.
func ExampleConfig_observe() {
	events := make(chan silentrefresh.Event, 16)
	server, client := started(authtest.Config{}, func(cfg *silentrefresh.Config) {
		cfg.Observe = func(ev silentrefresh.Event) { events <- ev }
	})
	defer server.Close()
	defer client.Close()
	if err := client.Login(context.Background(), ada); err != nil {
		log.Fatal(err)
	}
	ev := <-events
	var response struct{ User struct{ Email string } }
	err := ev.Response.Decode(&response)
	fmt.Println(ev.Kind, response.User.Email, err)
	// Output: logged in ada@example.com <nil>
}

// ObserveWait is told of each request that waits, with its context: there is its span, say.
func ExampleConfig_observeWait() {
	server, client := started(authtest.Config{}, func(cfg *silentrefresh.Config) {
		cfg.ObserveWait = func(_ context.Context, w silentrefresh.Wait) func(silentrefresh.Wait) {
			fmt.Println("begins to wait:", w.Trigger)
			return func(w silentrefresh.Wait) { fmt.Println("has waited for refresh", w.Refresh, w.Took > 0, w.Err) }
		}
	})
	defer server.Close()
	defer client.Close()
	if err := client.Login(context.Background(), ada); err != nil {
		log.Fatal(err)
	}
	server.RevokeAccess()
	resp, err := client.HTTPClient().Get(server.URL() + "/me")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	// Output:
	// begins to wait: rejected
	// has waited for refresh 1 true <nil>
}

// PerRPC are credentials for gRPC, without importing it: grpc.WithPerRPCCredentials(client.PerRPC()).
func ExampleClient_PerRPC() {
	server, client := started(authtest.Config{}, nil)
	defer server.Close()
	defer client.Close()
	ctx := context.Background()
	if err := client.Login(ctx, ada); err != nil {
		log.Fatal(err)
	}
	md, err := client.PerRPC().GetRequestMetadata(ctx, server.URL()+"/pkg.Service")
	fmt.Println(strings.HasPrefix(md["authorization"], "Bearer "), err)
	// Output: true <nil>
}
