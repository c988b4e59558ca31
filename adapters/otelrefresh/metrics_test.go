package otelrefresh

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

const here = "{silentrefresh.session.name=default}"

func in(state string) string {
	return "silentrefresh.session.status{silentrefresh.session.name=default,silentrefresh.session.state=" + state + "}"
}

// expect compares data points; "" is none.
func (l *lab) expect(when string, want map[string]string) {
	l.t.Helper()
	got := l.collect()
	for point, value := range want {
		if got[point] != value {
			l.t.Errorf("%s: %s is %q, want %q", when, point, got[point], value)
		}
	}
	if l.t.Failed() {
		for _, point := range slices.Sorted(maps.Keys(got)) {
			l.t.Logf("%s: %s %s", when, point, got[point])
		}
	}
}

func TestTheMetricsOfAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, as := newLab(t), &fakes.Server{}
		client := l.client(as)
		time.Sleep(30 * time.Second)
		l.expect("at first", map[string]string{
			in("logged_in"): "1", in("offline"): "0", in("over"): "0",
			"silentrefresh.token.age" + here:       "30",
			"silentrefresh.token.remaining" + here: "870",
			"silentrefresh.replays" + here:         "0",
			"silentrefresh.waiting_requests{}":     "",
		})
		away := as.Breakable()
		away.Store(true)
		as.Revoke()
		for range 5 {
			go l.get(client, "waiting")
			synctest.Wait() // the first is rejected, and the others find that out
		}
		time.Sleep(200 * time.Millisecond)
		l.expect("in the outage", map[string]string{
			in("logged_in"): "0", in("offline"): "1",
			"silentrefresh.waiting_requests{}": "5",
			"silentrefresh.refreshes{error.type=503,silentrefresh.refresh.outcome=failed,silentrefresh.refresh.trigger=rejected}": "1",
		})
		away.Store(false)
		time.Sleep(30 * time.Second)
		l.expect("after it", map[string]string{
			in("logged_in"): "1", in("offline"): "0",
			"silentrefresh.waiting_requests{}": "0",
			"silentrefresh.refreshes{error.type=503,silentrefresh.refresh.outcome=failed,silentrefresh.refresh.trigger=rejected}": "1",
		})
		if renewed, waited := tally(l.collect()); renewed != 1 || waited != 5 {
			t.Errorf("renewed %d times, %d waits", renewed, waited)
		}
		as.Set(func() { as.Refresh = "" })
		as.Revoke()
		l.get(client, "the last")
		synctest.Wait()
		l.expect("when it is over", map[string]string{
			in("logged_in"): "0", in("over"): "1",
			"silentrefresh.token.remaining" + here: "",
			"silentrefresh.refreshes{error.type=401,silentrefresh.refresh.outcome=refused,silentrefresh.refresh.trigger=rejected}": "1",
		})
		client.Close()
		l.expect("when it is closed", map[string]string{in("logged_in"): "", in("over"): "", "silentrefresh.token.age" + here: ""})
		if len(l.watched) != 0 {
			t.Error("it is still watched")
		}
	})
}

// tally counts renewals and waits, whatever asked for them: that depends on who came first.
func tally(points map[string]string) (renewed, waited int) {
	for point, value := range points {
		n, _, _ := strings.Cut(value, " in ")
		count, _ := strconv.Atoi(n)
		if strings.HasPrefix(point, "silentrefresh.refreshes{silentrefresh.refresh.outcome=renewed") {
			renewed += count
		}
		if strings.HasPrefix(point, "silentrefresh.wait.duration") {
			waited += count
		}
	}
	return renewed, waited
}

// The names of sessions are many where users have sessions of their own.
func TestSessionsAreNamedOnRequest(t *testing.T) {
	for _, named := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, func(cfg *Config) {
				cfg.SessionName, cfg.Attributes = named, []attribute.KeyValue{attribute.String("server.address", "api.example.com")}
			})
			as := &fakes.Server{}
			client := l.client(as)
			time.Sleep(time.Minute)
			as.Revoke()
			l.get(client, "request")
			synctest.Wait()
			for point := range l.collect() {
				about, _, _ := strings.Cut(point, "{")
				watched := slices.Contains([]string{"silentrefresh.session.status", "silentrefresh.token.age", "silentrefresh.token.remaining",
					"silentrefresh.replays", "silentrefresh.events.dropped"}, about)
				if got := strings.Contains(point, "silentrefresh.session.name=default"); got != (named || watched) {
					t.Errorf("SessionName %v: %s", named, point)
				}
				if !strings.Contains(point, "server.address=api.example.com") {
					t.Errorf("without the attributes of the Config: %s", point)
				}
			}
			for _, s := range append(l.named("silentrefresh refresh"), l.named("silentrefresh wait")...) {
				if value(s.Attributes(), "server.address") != "api.example.com" {
					t.Errorf("%s: %v", s.Name(), s.Attributes())
				}
			}
		})
	}
}

// Events that are not the end of a refresh count for none.
func TestOnlyRefreshesAreCounted(t *testing.T) {
	l := newLab(t)
	for _, kind := range []silentrefresh.EventKind{silentrefresh.EventLoggedIn, silentrefresh.EventResumed, silentrefresh.EventHandedOut,
		silentrefresh.EventRejected, silentrefresh.EventOver, silentrefresh.EventLoggedOut, silentrefresh.EventWarning} {
		l.Observe(silentrefresh.Event{Kind: kind, Took: time.Second})
	}
	if points := l.collect(); len(points) != 0 || len(l.spans.Ended()) != 0 {
		t.Errorf("%v", points)
	}
}

func TestNoSecretIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, as := newLab(t, func(cfg *Config) { cfg.SessionName = true }), &fakes.Server{}
		client := l.client(as)
		for range 3 {
			time.Sleep(time.Minute)
			as.Revoke()
			l.get(client, "request")
		}
		as.Set(func() { as.Refresh = "" })
		as.Revoke()
		l.get(client, "request")
		synctest.Wait()
		for _, s := range l.spans.Ended() {
			for _, attr := range s.Attributes() {
				if strings.Contains(attr.Value.String(), "secret") {
					t.Errorf("%s: %v", s.Name(), attr)
				}
			}
			if strings.Contains(s.Status().Description, "secret") {
				t.Errorf("%s: %v", s.Name(), s.Status())
			}
		}
		for point := range l.collect() {
			if strings.Contains(point, "secret") {
				t.Error(point)
			}
		}
	})
}
