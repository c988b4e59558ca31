package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// holder is somebody's struct that holds what is ours, where fmt calls no methods.
type holder struct {
	client  *silentrefresh.Client
	token   silentrefresh.Token
	session auth.Session
	status  silentrefresh.Status
	event   silentrefresh.Event
	grant   auth.Grant
	err     error
}

// Everything that can go wrong goes wrong, with debug logging on; none of what is printed, logged, marshalled or
// returned as an error holds a secret that the server has given out.
func TestF48_NoSecretInAnyOutput(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k.server.InMemory = true
				server := authtest.NewServer(t, k.server)
				var out bytes.Buffer
				var log lockedBuffer
				var mu sync.Mutex
				var last silentrefresh.Event
				client := newClient(t, server, func(cfg *silentrefresh.Config, ep *endpoint.Settings) {
					k.settings(cfg, ep)
					cfg.MaxWait = time.Second
					cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					cfg.Observe = func(ev silentrefresh.Event) { mu.Lock(); last = ev; mu.Unlock() }
				})
				ctx := context.Background()
				var h holder
				dump := func(err error) {
					synctest.Wait()
					token, _ := client.Token(ctx)
					mu.Lock()
					defer mu.Unlock()
					h = holder{client: client, token: token, status: client.Status(), event: last, err: err,
						session: auth.Session{AccessToken: token.Value, RefreshToken: token.Value, Response: last.Response},
						grant:   auth.Grant{Old: auth.Session{AccessToken: token.Value}}}
					for _, v := range []any{h, &h, token, h.session, h.status, last, h.grant, err, last.Response, client} {
						fmt.Fprintf(&out, "%v %+v %#v\n", v, v, v)
						slog.New(slog.NewJSONHandler(&out, nil)).Info("dump", "v", v)
						if b, err := json.Marshal(v); err == nil {
							out.Write(b)
						}
					}
				}
				dump(client.Login(ctx, map[string]string{"email": authtest.DefaultEmail, "password": "wrong-hunter2"}))
				dump(client.Login(ctx, credentials))
				for _, kind := range []authtest.FaultKind{authtest.Drop, authtest.Reset, authtest.Status, authtest.HTML,
					authtest.Garbage, authtest.NoToken, authtest.OtherSubject} {
					server.Fault(authtest.Fault{Kind: kind, Times: 2})
					dump(client.Renew(ctx))
					time.Sleep(5 * time.Minute)
				}
				server.EndSessions()
				dump(client.Renew(ctx))
				dump(client.Login(ctx, credentials))
				dump(client.Logout(ctx))
				client.Close()
				for _, v := range []any{h, &h} { // a verb that does not fit makes fmt look behind the pointer, where timers write
					fmt.Fprintf(&out, "%s\n", v)
				}
				out.WriteString(log.String())
				for _, secret := range append(server.Secrets(), authtest.DefaultPassword, "hunter2") {
					if i := strings.Index(out.String(), secret); i >= 0 {
						s := out.String()
						t.Fatalf("a secret is in the output: ...%.200s", s[max(0, i-150):])
					}
				}
				if out.Len() < 10_000 {
					t.Errorf("only %d bytes of output to search", out.Len())
				}
			})
		})
	}
}

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
