package keyringstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/keyringstore"
)

func Example() {
	store, err := filestore.Default("myapp", keyringstore.Key("myapp"))
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := store.List(context.Background())
	fmt.Println(sessions, err)
}
