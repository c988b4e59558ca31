package oauth_test

import (
	"context"
	"errors"
	"log"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// A program logs in at an identity provider in the person's browser, once, and stays logged in.
func Example() {
	idp, err := oauth.New(oauth.Config{Issuer: "https://id.example.com", ClientID: "my-program", Flow: oauth.Browser})
	if err != nil {
		log.Fatal(err)
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: idp})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	_, err = client.Token(ctx)
	if errors.Is(err, silentrefresh.ErrNoSession) || errors.Is(err, silentrefresh.ErrSessionOver) {
		err = client.Login(ctx, nil) // opens the browser
	}
	if err != nil {
		log.Fatal(err)
	}
}
