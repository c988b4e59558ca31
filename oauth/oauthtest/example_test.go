package oauthtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// program is the code under test: it stays logged in at issuer, and asks who it is. A real program leaves OpenBrowser out.
func program(ctx context.Context, issuer string, openBrowser func(string) error, steps func(ask func())) error {
	idp, err := oauth.New(oauth.Config{Issuer: issuer, ClientID: oauthtest.ClientID, OpenBrowser: openBrowser, Prompt: func(oauth.Prompt) {}})
	if err != nil {
		return err
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: issuer, Exchanger: idp})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Login(ctx, nil); err != nil {
		return err
	}
	steps(func() {
		resp, err := client.HTTPClient().Get(issuer + "/me")
		if err != nil {
			fmt.Println("session over:", errors.Is(err, silentrefresh.ErrSessionOver))
			return
		}
		defer resp.Body.Close()
		fmt.Println(resp.Status)
	})
	return nil
}

// A login by browser, without a browser, and what comes after it. In a test function, NewProvider is shorter.
func Example() {
	provider, err := oauthtest.Start(oauthtest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()

	err = program(context.Background(), provider.URL(), provider.Browse("ada"), func(ask func()) {
		ask()
		provider.ExpireAll()
		ask()
		provider.RevokeGrants()
		ask() // finds out
		ask()
	})
	if err != nil {
		log.Fatal(err)
	}
	n := provider.Counters()
	fmt.Printf("%d login, %d refresh, %d reuses\n", n.Logins, n.Refreshes, n.Reuses)

	// Output:
	// 200 OK
	// 200 OK
	// 401 Unauthorized
	// session over: true
	// 1 login, 1 refresh, 0 reuses
}

// A device that shows a code, and a person who enters it elsewhere.
func ExampleProvider_Decide() {
	provider, err := oauthtest.Start(oauthtest.Config{Interval: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()

	c := provider.ClientConfig(oauth.Device, "")
	c.Prompt = func(p oauth.Prompt) {
		fmt.Println("a code is shown:", p.Code != "")
		provider.Decide(p.Code, "ada")
	}
	idp, err := oauth.New(c)
	if err != nil {
		log.Fatal(err)
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: provider.URL(), Exchanger: idp})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.Login(context.Background(), nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println("logged in as", client.Status().Account)

	// Output:
	// a code is shown: true
	// logged in as ada@example.com
}

// A response that is lost after the provider has done its work: the code is spent, and only another login helps.
func ExampleProvider_Fault() {
	provider, err := oauthtest.Start(oauthtest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()
	provider.Fault(oauthtest.Fault{Kind: oauthtest.Drop, At: oauthtest.Token, Commit: true})
	for range 2 {
		err = program(context.Background(), provider.URL(), provider.Browse("ada"), func(ask func()) { ask() })
		fmt.Println("an error:", err != nil, "- calls of the token endpoint:", provider.Calls(oauthtest.Token))
	}

	// Output:
	// an error: true - calls of the token endpoint: 1
	// 200 OK
	// an error: false - calls of the token endpoint: 2
}
