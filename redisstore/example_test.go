package redisstore_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/redisstore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// One replica logs in, and another one has the session. In a real program the two are processes, and the key comes
// from the environment variable SILENTREFRESH_KEY.
func Example() {
	server, err := authtest.Start(authtest.Config{})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	engine := miniredis.NewMiniRedis()
	if err := engine.Start(); err != nil {
		panic(err)
	}
	defer engine.Close()
	key := seal.NewKey()
	keys := []seal.Key{{Source: "the example", Get: func(context.Context, bool) ([]byte, error) { return key, nil }}}

	replica := func() *silentrefresh.Client {
		store, err := redisstore.New(redisstore.Config{Client: redis.NewClient(&redis.Options{Addr: engine.Addr()}), Keys: keys})
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
