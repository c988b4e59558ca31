package servers_test

import (
	"flag"
	"os"
	"testing"
)

// The plays wait most of the time, so that there may be more of them than processors.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16")
	os.Exit(m.Run())
}

var pocketbase = &server{dir: "pocketbase", build: true, install: "set SILENTREFRESH_REQUIRE_NODE=1, and it is built"}

var plays = []play{
	{recipe: "PocketBase", server: pocketbase, user: "ada", me: "/api/collections/users/records/adaadaadaadaada", guests: true, margin: life / 2, reuse: refused, keeps: true},
}

func TestRecipes(t *testing.T) {
	if testing.Short() {
		t.Skip("the real servers take half a minute")
	}
	for _, p := range plays {
		t.Run(p.recipe, func(sub *testing.T) {
			sub.Parallel()
			p.run(sub, p.server.base(sub, t))
		})
	}
}
