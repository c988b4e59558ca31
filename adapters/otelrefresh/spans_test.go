package otelrefresh

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestARefreshIsLinkedToTheRequestsThatWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, 2*time.Second)}
		client := l.client(as)
		l.get(client, "before")
		as.Revoke()
		began := time.Now()
		for i := range 3 {
			go l.get(client, fmt.Sprint("waiting ", i))
			synctest.Wait() // the first is rejected, and the others find that out
		}
		go client.Token(context.Background()) // within no span
		time.Sleep(time.Minute)
		l.get(client, "after")

		refresh := l.one("silentrefresh refresh")
		if refresh.Parent().IsValid() || !refresh.StartTime().Equal(began) || refresh.EndTime().Sub(began) != 2*time.Second {
			t.Errorf("the refresh has parent %v, and lasts from %v to %v", refresh.Parent(), refresh.StartTime(), refresh.EndTime())
		}
		if value(refresh.Attributes(), outcome) != "renewed" || value(refresh.Attributes(), trigger) != "rejected" ||
			value(refresh.Attributes(), refreshNumber) != "1" || value(refresh.Attributes(), sessionName) != "default" {
			t.Errorf("%v", refresh.Attributes())
		}
		var linked, waited, requests []trace.SpanID
		for _, link := range refresh.Links() {
			linked = append(linked, link.SpanContext.SpanID())
		}
		for i := range 3 {
			requests = append(requests, l.one(fmt.Sprint("waiting ", i)).SpanContext().SpanID())
		}
		for _, wait := range l.named("silentrefresh wait") {
			if wait.EndTime().Sub(wait.StartTime()) != 2*time.Second || value(wait.Attributes(), refreshNumber) != "1" {
				t.Errorf("a wait from %v to %v, %v", wait.StartTime(), wait.EndTime(), wait.Attributes())
			}
			if wait.Parent().IsValid() {
				waited = append(waited, wait.Parent().SpanID())
			}
		}
		for what, got := range map[string][]trace.SpanID{"linked": linked, "waited": waited} {
			if !sameSpans(got, requests) {
				t.Errorf("%s: %v, want %v", what, got, requests)
			}
		}
		if len(l.waiters) != 0 {
			t.Errorf("%d sessions are kept in mind", len(l.waiters))
		}
	})
}

func sameSpans(a, b []trace.SpanID) bool {
	compare := func(x, y trace.SpanID) int { return slices.Compare(x[:], y[:]) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), compare), slices.SortedFunc(slices.Values(b), compare))
}

// Who waits through a failure waits for two refreshes.
func TestWhoWaitsThroughAFailureIsLinkedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, as := newLab(t), &fakes.Server{}
		client := l.client(as)
		time.Sleep(20 * time.Second)
		away := as.Breakable()
		away.Store(true)
		as.Revoke()
		go l.get(client, "patient")
		time.Sleep(100 * time.Millisecond)
		away.Store(false)
		time.Sleep(time.Minute)
		refreshes := l.named("silentrefresh refresh")
		if len(refreshes) != 2 {
			t.Fatalf("%d refreshes", len(refreshes))
		}
		patient := l.one("patient").SpanContext().SpanID()
		for i, want := range []struct {
			outcome, errorType string
			code               codes.Code
		}{{"failed", "503", codes.Error}, {"renewed", "", codes.Unset}} {
			r := refreshes[i]
			if len(r.Links()) != 1 || r.Links()[0].SpanContext.SpanID() != patient || value(r.Attributes(), outcome) != want.outcome ||
				value(r.Attributes(), errorType) != want.errorType || r.Status().Code != want.code {
				t.Errorf("%v %v, %v", r.Links(), r.Attributes(), r.Status())
			}
		}
		if len(l.waiters) != 0 {
			t.Errorf("%d sessions are kept in mind", len(l.waiters))
		}
	})
}

// The end of a refresh and the ends of the waits for it are observed on different goroutines, in any order.
func TestLinksInAnyOrder(t *testing.T) {
	l := newLab(t)
	ctx, span := l.tracer.Start(context.Background(), "request")
	span.End()
	begin := func() func(uint64) {
		over := l.ObserveWait(ctx, silentrefresh.Wait{Name: "s", Trigger: silentrefresh.TriggerExpired})
		return func(no uint64) { over(silentrefresh.Wait{Name: "s", Refresh: no, Took: time.Second}) }
	}
	links := func(no uint64) int {
		before := len(l.named("silentrefresh refresh"))
		l.Observe(silentrefresh.Event{Kind: silentrefresh.EventRenewed, Name: "s", Refresh: no, Time: time.Now()})
		return len(l.named("silentrefresh refresh")[before].Links())
	}
	for name, order := range map[string]func() []int{
		"the refresh ends first":        func() []int { w := begin(); n := links(1); w(1); return []int{n, links(2)} },
		"the wait ends first":           func() []int { w := begin(); w(3); return []int{links(3), links(4)} },
		"it begins after the end":       func() []int { ended := links(5); w := begin(); w(0); return []int{1 - ended, links(6)} },
		"of two, the first was missed":  func() []int { w := begin(); w(8); return []int{1 - links(7), 1 - links(8)} },
		"of two, it waited for the one": func() []int { w := begin(); n := links(9); w(9); return []int{n, links(10)} },
	} {
		want := []int{1, 0}
		if got := order(); !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
		if len(l.waiters) != 0 {
			t.Errorf("%s: it is kept in mind", name)
		}
	}
}

// More than the SDK would link are not kept.
func TestLinksAreBounded(t *testing.T) {
	l := newLab(t)
	ctx, span := l.tracer.Start(context.Background(), "request")
	defer span.End()
	var over []func(silentrefresh.Wait)
	for range 10 * maxLinks {
		over = append(over, l.ObserveWait(ctx, silentrefresh.Wait{Name: "s"}))
	}
	if n := len(l.waiters["s"]); n != maxLinks {
		t.Errorf("%d are kept", n)
	}
	for _, over := range over {
		over(silentrefresh.Wait{Name: "s", Refresh: 1, Took: time.Second})
	}
	l.Observe(silentrefresh.Event{Kind: silentrefresh.EventRenewed, Name: "s", Refresh: 1, Time: time.Now()})
	if n := len(l.one("silentrefresh refresh").Links()); n != maxLinks || len(l.waiters) != 0 {
		t.Errorf("%d links, %d sessions are kept in mind", n, len(l.waiters))
	}
}

// Until the end of its refresh is observed, a request is known by its span context alone.
func TestNothingOfACallerIsKept(t *testing.T) {
	l := newLab(t)
	type key struct{}
	wait := func() weak.Pointer[[1 << 20]byte] {
		callers := new([1 << 20]byte)
		ctx, span := l.tracer.Start(context.WithValue(context.Background(), key{}, callers), "request")
		defer span.End()
		over := l.ObserveWait(ctx, silentrefresh.Wait{Name: "s"})
		over(silentrefresh.Wait{Name: "s", Refresh: 1, Took: time.Second})
		return weak.Make(callers)
	}
	kept := wait()
	runtime.GC()
	if kept.Value() != nil || len(l.waiters["s"]) != 1 {
		t.Errorf("its context is kept: %v; %d requests are known", kept.Value() != nil, len(l.waiters["s"]))
	}
}

// A request that learns at once that nobody is logged in did not wait.
func TestATrivialWaitIsNone(t *testing.T) {
	l, as := newLab(t), &fakes.Server{}
	client := l.client(as)
	if err := client.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.get(client, "nobody")
	if n := len(l.named("silentrefresh wait")); n != 0 {
		t.Errorf("%d waits", n)
	}
	for point := range l.collect() {
		if strings.HasPrefix(point, "silentrefresh.wait.duration") {
			t.Error(point)
		}
	}
}

func TestTypesOfErrorsAreFew(t *testing.T) {
	for want, err := range map[string]error{
		"503": fakes.Down(), "401": fmt.Errorf("wrapped: %w", fakes.InvalidGrant()), "timeout": context.DeadlineExceeded,
		"canceled": &auth.Error{Err: context.Canceled}, "_OTHER": errors.New("hunter2"),
	} {
		if got := typeOf(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
