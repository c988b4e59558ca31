package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/seal"
)

func Example() {
	store, err := filestore.Default("myapp")
	if err != nil {
		log.Fatal(err)
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Store: store})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	_, err = client.Token(ctx)
	if errors.Is(err, silentrefresh.ErrNoSession) || errors.Is(err, silentrefresh.ErrSessionOver) || filestore.Unreadable(err) {
		err = client.Login(ctx, map[string]string{"email": os.Getenv("EMAIL"), "password": os.Getenv("PASSWORD")})
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A new key goes in front of the old one, and every record moves over to it. The old one can go afterwards.
func ExampleStore_Rekey() {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	was, is := filestore.KeyFile(filepath.Join(dir, "sessions.key")), filestore.KeyFile(filepath.Join(dir, "sessions.key.2"))

	store, err := filestore.Open(filestore.Config{Dir: dir, Keys: []seal.Key{was}})
	if err != nil {
		log.Fatal(err)
	}
	err = store.Update(context.Background(), "name", func(_ context.Context, _ []byte, save func([]byte) error) error {
		return save([]byte("content"))
	})
	if err != nil {
		log.Fatal(err)
	}

	store, err = filestore.Open(filestore.Config{Dir: dir, Keys: []seal.Key{is, was}})
	if err != nil {
		log.Fatal(err)
	}
	changed, err := store.Rekey(context.Background())
	fmt.Println(changed, err)
	// Output: 1 <nil>
}
