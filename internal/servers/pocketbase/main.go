// Command pocketbase is a PocketBase with one user, whose tokens live for LIFE seconds. Its database is in DATA.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // the tables
)

func main() {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: os.Getenv("DATA")})
	if err := app.Bootstrap(); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := prepare(app); err != nil {
			return err
		}
		e.Listener, e.InstallerFunc = listener, nil
		e.Router.POST("/test/revoke", func(e *core.RequestEvent) error { return revoke(app, e) })
		fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
		return e.Next()
	})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(apis.Serve(app, apis.ServeConfig{}))
}

// prepare shortens the tokens' life, beyond what the dashboard would allow, and adds a user.
func prepare(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	life, err := strconv.ParseInt(os.Getenv("LIFE"), 10, 64)
	if err != nil {
		return err
	}
	users.AuthToken.Duration = life
	if err := app.SaveNoValidate(users); err != nil {
		return err
	}
	ada := core.NewRecord(users)
	ada.Id = "adaadaadaadaada"
	ada.SetEmail("ada@example.com")
	ada.SetPassword("analytical engine")
	return app.Save(ada)
}

// revoke does what a change of the password does.
func revoke(app core.App, e *core.RequestEvent) error {
	user, err := app.FindAuthRecordByEmail("users", e.Request.URL.Query().Get("user")+"@example.com")
	if err != nil {
		return err
	}
	user.RefreshTokenKey()
	if err := app.Save(user); err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}
