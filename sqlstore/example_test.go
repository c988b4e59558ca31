package sqlstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/seal"
	"github.com/silentrefresh/silentrefresh/sqlstore"
	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

// One replica logs in, and another one has the session. In a real program the two are processes, and the key comes
// from the environment variable SILENTREFRESH_KEY. With PostgreSQL it is Config{Postgres: pool}.
func Example() {
	server, err := authtest.Start(authtest.Config{})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(filepath.Join(dir, "sessions.db"))
	if err != nil {
		panic(err)
	}
	defer db.Close()
	key := seal.NewKey()
	keys := []seal.Key{{Source: "the example", Get: func(context.Context, bool) ([]byte, error) { return key, nil }}}

	replica := func() *silentrefresh.Client {
		store, err := sqlstore.New(sqlstore.Config{SQLite: db, Keys: keys})
		if err != nil {
			panic(err)
		}
		client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL(), Store: store})
		if err != nil {
			panic(err)
		}
		return client
	}
	first := replica()
	err = first.Login(context.Background(), map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword})
	if err != nil {
		panic(err)
	}
	second := replica()
	resp, err := second.HTTPClient().Get(server.URL() + "/me")
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status, second.Status().State.Healthy())
	// Output: 200 OK true
}
