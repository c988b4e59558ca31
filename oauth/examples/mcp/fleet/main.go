// Fleet is twenty agents, each a process of its own, that share one login at an MCP server: its tokens live for five
// seconds, and it ends the login of whoever presents a refresh token twice. A scripted person logs in once. It fails
// unless every generation of the token took one refresh, and no request failed.
//
//	go run ./fleet          # ten minutes
//	go run ./fleet -short   # two minutes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/oauth/examples/mcp/internal/mcpserver"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

const (
	agents   = 20
	lifetime = 5 * time.Second
)

func main() {
	log.SetFlags(0)
	short := flag.Bool("short", false, "two minutes instead of ten")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch server := os.Getenv(serverEnv); {
	case server != "":
		err = work(ctx, server, os.Getenv(dirEnv))
	case *short:
		err = lead(ctx, 2*time.Minute)
	default:
		err = lead(ctx, 10*time.Minute)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// lead runs the server, logs in, and lets the agents work for a while.
func lead(ctx context.Context, effort time.Duration) error {
	server, err := mcpserver.Start(oauthtest.Config{Plain: true, Registers: true, TokenTTL: lifetime})
	if err != nil {
		return err
	}
	defer server.Close()
	dir, err := os.MkdirTemp("", "silentrefresh-fleet")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	client, _, err := open(server.Endpoint, dir, server.Browse("ada"))
	if err != nil {
		return err
	}
	if err := errors.Join(client.Login(ctx, nil), client.Close()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, effort)
	defer cancel()
	failures := make([]error, agents)
	var all sync.WaitGroup
	for i := range agents {
		all.Go(func() { failures[i] = agent(ctx, server.Endpoint, dir) })
	}
	all.Wait()
	return errors.Join(append(failures, report(server, effort))...)
}

// agent runs one process until ctx ends.
func agent(ctx context.Context, server, dir string) error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverEnv+"="+server, dirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // an agent ends with its input
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return errors.Join(err, errors.New("an agent stopped working"))
	case <-ctx.Done():
		in.Close()
		return <-ended
	}
}

// report compares what the server counted with what there has to be.
func report(server *mcpserver.Server, effort time.Duration) error {
	refreshes, generations := server.Calls(oauthtest.Token)-1, server.Counters().Refreshes
	fmt.Printf("%v, %d agents, %d refreshes for %d generations, %d reuses, %d calls\n",
		effort, agents, refreshes, generations, server.Counters().Reuses, server.Calls("/mcp"))
	var found []error
	if refreshes != generations || server.Counters().Reuses != 0 {
		found = append(found, errors.New("a generation took more than one refresh"))
	}
	// A token is renewed a little before its end.
	if least, most := int(effort/lifetime)*9/10, int(effort/lifetime)*2; refreshes < least || refreshes > most {
		found = append(found, fmt.Errorf("%d refreshes, want %d to %d", refreshes, least, most))
	}
	if logins := server.Calls(oauthtest.Login); logins != 2 { // the page and the form
		found = append(found, fmt.Errorf("the login page was used %d times", logins))
	}
	return errors.Join(found...)
}
