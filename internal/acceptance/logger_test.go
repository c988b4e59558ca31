package acceptance

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// Warnings reach somebody. Without a Logger and an Observe that is slog.Default, which gets nothing else; where a program has
// said who is to be told, nobody else is.
func TestWarningsReachSomebody(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	for _, test := range []struct {
		name            string
		logger, observe bool
	}{
		{"nobody", false, false}, {"Logger", true, false}, {"Observe", false, true}, {"both", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var standard, own lockedBuffer
				var observed, warnings atomic.Int32
				var config silentrefresh.Config
				if test.logger {
					config.Logger = debugLogger(&own)
				}
				if test.observe {
					config.Observe = func(ev silentrefresh.Event) {
						observed.Add(1)
						if ev.Kind == silentrefresh.EventRetrying || ev.Kind == silentrefresh.EventOver {
							warnings.Add(1)
						}
					}
				}
				client, server := authtest.NewClient(t, authtest.Config{}, config)
				slog.SetDefault(debugLogger(&standard)) // whoever is the default when something happens
				live(t, client, server)
				check := func(who, said string, told, all bool) {
					t.Helper()
					for _, warning := range []string{`level=WARN msg="silentrefresh: retrying"`, `level=WARN msg="silentrefresh: over"`} {
						if strings.Contains(said, warning) != told {
							t.Errorf("%s is told %v, want %v, of %s:\n%s", who, !told, told, warning, said)
						}
					}
					if strings.Contains(said, "level=INFO") != all {
						t.Errorf("%s is told of more than warnings: %v, want %v:\n%s", who, !all, all, said)
					}
				}
				check("slog.Default", standard.String(), !test.logger && !test.observe, false)
				check("the Logger", own.String(), test.logger, test.logger)
				if test.observe != (warnings.Load() >= 2) || test.observe != (observed.Load() > warnings.Load()) {
					t.Errorf("Observe was told %d times, %d of them warnings", observed.Load(), warnings.Load())
				}
			})
		})
	}
}

func debugLogger(to *lockedBuffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// live renews, sits out an outage, and ends.
func live(t *testing.T, client *silentrefresh.Client, server *authtest.Server) {
	t.Helper()
	time.Sleep(time.Hour)
	server.Down(authtest.Unavailable)
	time.Sleep(time.Hour)
	server.Up()
	time.Sleep(time.Hour)
	server.EndSessions()
	time.Sleep(time.Hour)
	synctest.Wait()
	if err := client.Status().Err; !errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Errorf("the session has not ended: %v", err)
	}
}

// A panic in an Observe cannot be told to it.
func TestAPanicInObserveIsLogged(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		var standard lockedBuffer
		slog.SetDefault(debugLogger(&standard))
		authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{Observe: func(silentrefresh.Event) { panic("oh") }})
		synctest.Wait()
		if said := standard.String(); !strings.Contains(said, "level=WARN") || !strings.Contains(said, "Observe") {
			t.Errorf("slog.Default is told: %q", said)
		}
	})
}
