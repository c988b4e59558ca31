// Agent is a program without a screen that calls many tools at once: it is logged in with a code that somebody
// enters on another device, and its calls share one session. Without flags it plays that by itself, with a provider
// on loopback and a scripted person.
//
//	go run ./examples/agent
//	go run ./examples/agent -issuer https://login.example.com -client-id my-agent -api https://api.example.com/me
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
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

const (
	tools  = 50              // at work side by side
	effort = 5 * time.Second // of each
)

func main() {
	issuer := flag.String("issuer", "", "the identity `provider`; without it, a play with a provider of its own")
	id := flag.String("client-id", oauthtest.ClientID, "what the provider knows this program by")
	api := flag.String("api", "", "the `URL` to call; without it, /me at the provider")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c := oauth.Config{Issuer: *issuer, ClientID: *id, Flow: oauth.Device}
	if c.Issuer == "" {
		op, err := oauthtest.Start(oauthtest.Config{TokenTTL: 2 * time.Second, Interval: 1})
		if err != nil {
			log.Fatal(err)
		}
		defer op.Close()
		c.Issuer, c.Prompt = op.URL(), enter(op)
		fmt.Println("a play: the provider is on loopback, and the person who enters the code is scripted")
	}
	if *api == "" {
		*api = c.Issuer + "/me"
	}
	if err := run(ctx, c, *api); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, c oauth.Config, api string) error {
	base, err := url.Parse(api)
	if err != nil {
		return err
	}
	idp, err := oauth.New(c)
	if err != nil {
		return err
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: base.Scheme + "://" + base.Host, Exchanger: idp})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Login(ctx, nil); err != nil {
		return err
	}
	fmt.Println("logged in as", client.Status().Account)
	calls, err := work(ctx, client.HTTPClient(), api)
	fmt.Printf("%d calls of %d tools, %d refreshes\n", calls, tools, client.Status().Stats.Refreshes)
	return errors.Join(err, client.Logout(ctx))
}

// work lets all tools call the API for a while, and counts the calls.
func work(ctx context.Context, hc *http.Client, api string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, effort)
	defer cancel()
	var wg sync.WaitGroup
	counts, errs := make([]int, tools), make([]error, tools)
	for i := range tools {
		wg.Go(func() { counts[i], errs[i] = tool(ctx, hc, api) })
	}
	wg.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum, errors.Join(errs...)
}

// tool calls until ctx ends.
func tool(ctx context.Context, hc *http.Client, api string) (calls int, err error) {
	for {
		err := call(ctx, hc, api)
		switch {
		case ctx.Err() != nil:
			return calls, nil
		case err != nil:
			return calls, err
		}
		calls++
		select {
		case <-time.After(50 * time.Millisecond): // the tool thinks
		case <-ctx.Done():
			return calls, nil
		}
	}
}

func call(ctx context.Context, hc *http.Client, api string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, api, nil)
	if err != nil {
		return err
	}
	resp, err := hc.Do(req)
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

// enter is a scripted person with another device.
func enter(op *oauthtest.Provider) func(oauth.Prompt) {
	return func(p oauth.Prompt) {
		fmt.Printf("open %s and enter %s\n", p.URL, p.Code)
		op.Decide(p.Code, "ada")
	}
}
