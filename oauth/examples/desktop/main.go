// Desktop is a program that its user logs in to once, in the browser, and finds logged in at every start from then
// on. Without flags it plays that by itself: a provider on loopback, a scripted person, and two starts.
//
//	go run ./examples/desktop
//	go run ./examples/desktop -issuer https://login.example.com -client-id my-app -api https://api.example.com/me
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func main() {
	issuer := flag.String("issuer", "", "the identity `provider`; without it, a play with a provider of its own")
	id := flag.String("client-id", oauthtest.ClientID, "what the provider knows this program by")
	api := flag.String("api", "", "the `URL` to call; without it, /me at the provider")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, oauth.Config{Issuer: *issuer, ClientID: *id}, *api); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, c oauth.Config, api string) error {
	if c.Issuer == "" {
		return play(ctx, c)
	}
	if api == "" {
		api = c.Issuer + "/me"
	}
	store, err := filestore.Default("silentrefresh-desktop")
	if err != nil {
		return err
	}
	return begin(ctx, c, store, api)
}

// begin is one start of the program.
func begin(ctx context.Context, c oauth.Config, store silentrefresh.Store, api string) error {
	client, err := open(c, store, api)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Token(ctx)
	if errors.Is(err, silentrefresh.ErrNoSession) || errors.Is(err, silentrefresh.ErrSessionOver) ||
		filestore.Unreadable(err) {
		fmt.Println("nobody is logged in: opening the browser")
		if err := client.Login(ctx, nil); err != nil {
			return err
		}
	}
	fmt.Println("logged in as", client.Status().Account)
	for range 10 {
		if err := call(ctx, client, api); err != nil {
			return err
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
	fmt.Printf("10 calls, %d refreshes\n", client.Status().Stats.Refreshes)
	return client.Close()
}

func open(c oauth.Config, store silentrefresh.Store, api string) (*silentrefresh.Client, error) {
	base, err := url.Parse(api)
	if err != nil {
		return nil, err
	}
	idp, err := oauth.New(c)
	if err != nil {
		return nil, err
	}
	return silentrefresh.New(silentrefresh.Config{
		BaseURL:   base.Scheme + "://" + base.Host,
		Exchanger: idp,
		Store:     store,
	})
}

func call(ctx context.Context, client *silentrefresh.Client, api string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, api, nil)
	if err != nil {
		return err
	}
	resp, err := client.HTTPClient().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s returned %s", req.URL.Path, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// play is the program with a scripted person: it starts twice, and logs in once.
func play(ctx context.Context, c oauth.Config) error {
	op, err := oauthtest.Start(oauthtest.Config{TokenTTL: 2 * time.Second})
	if err != nil {
		return err
	}
	defer op.Close()
	dir, err := os.MkdirTemp("", "silentrefresh-desktop")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.Issuer, c.OpenBrowser = op.URL(), op.Browse("ada")
	fmt.Println("a play: the provider is on loopback, and the person at the browser is scripted")
	for start := 1; start <= 2; start++ {
		fmt.Println("start", start)
		store, err := filestore.Open(filestore.Config{Dir: dir})
		if err != nil {
			return err
		}
		if err := begin(ctx, c, store, op.URL()+"/me"); err != nil {
			return err
		}
	}
	if n := op.Calls(oauthtest.Login); n != 2 { // the page and the form
		return fmt.Errorf("the login page was used %d times", n)
	}
	fmt.Println("start 2 needed no browser: the session was in the store")
	return nil
}
