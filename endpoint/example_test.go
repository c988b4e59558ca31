package endpoint_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// Settings make an Exchanger, which a silentrefresh.Client calls when the time has come. It works without one, too.
func ExampleSettings_Bind() {
	server, err := authtest.Start(authtest.Config{RefreshIn: authtest.InJSON})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	base, err := url.Parse(server.URL())
	if err != nil {
		log.Fatal(err)
	}
	settings := endpoint.Settings{Refresh: endpoint.Call{RefreshTokenField: "refreshToken"}}
	exchanger, err := settings.Bind(base, auth.Attach{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, hc := context.Background(), &http.Client{Jar: auth.NewJar()}
	session, err := exchanger.Exchange(ctx, hc, auth.Grant{
		Kind:        auth.KindLogin,
		Credentials: map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword},
	})
	if err != nil {
		log.Fatal(err)
	}
	next, err := exchanger.Exchange(ctx, hc, auth.Grant{Kind: auth.KindRefresh, Old: session})
	fmt.Println(session.Account, next.AccessToken.Equal(session.AccessToken), err)
	// Output: ada@example.com false <nil>
}
