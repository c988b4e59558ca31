package otelrefresh

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/silentrefresh/silentrefresh"
)

// maxLinks is how many waiting requests of a session are kept in mind for the span of their refresh. The SDK's own limit
// of links is the same.
const maxLinks = 128

// A waiter is a request that waits, or has waited for a refresh whose end was not observed yet.
type waiter struct {
	span    trace.SpanContext
	began   time.Time
	over    bool
	refresh uint64 // that it waited for, once that is over
	linked  uint64 // the last refresh that was linked to it
}

// begin notes a request that begins to wait.
func (t *Telemetry) begin(ctx context.Context, w silentrefresh.Wait) *waiter {
	began := &waiter{span: trace.SpanContextFromContext(ctx), began: time.Now()}
	if !began.span.IsValid() {
		return began // there is nothing to link
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if waiting := t.waiters[w.Name]; len(waiting) < maxLinks {
		t.waiters[w.Name] = append(waiting, began)
	}
	return began
}

// over notes that a wait is over. If the end of its refresh is still to be observed, it is kept until then.
func (t *Telemetry) over(began *waiter, w silentrefresh.Wait) {
	t.mu.Lock()
	defer t.mu.Unlock()
	began.over, began.refresh = true, w.Refresh
	t.keep(w.Name, func(other *waiter) bool { return other != began || began.linked < began.refresh })
}

// links are the requests that waited for the refresh that ev is the end of.
func (t *Telemetry) links(ev silentrefresh.Event) []trace.Link {
	t.mu.Lock()
	defer t.mu.Unlock()
	var links []trace.Link
	t.keep(ev.Name, func(w *waiter) bool {
		if w.over && w.refresh == ev.Refresh || !w.over && !w.began.After(ev.Time) {
			w.linked = ev.Refresh
			links = append(links, trace.Link{SpanContext: w.span})
		}
		return !w.over || w.refresh > ev.Refresh
	})
	return links
}

// keep keeps those of a session's waiters that are wanted. It needs t.mu.
func (t *Telemetry) keep(session string, wanted func(*waiter) bool) {
	left := slices.DeleteFunc(t.waiters[session], func(w *waiter) bool { return !wanted(w) })
	if len(left) == 0 {
		delete(t.waiters, session)
		return
	}
	t.waiters[session] = left
}

// traceRefresh makes the span of a refresh that has ended.
func (t *Telemetry) traceRefresh(ev silentrefresh.Event, attrs []attribute.KeyValue) {
	_, span := t.tracer.Start(context.Background(), "silentrefresh refresh", trace.WithNewRoot(),
		trace.WithTimestamp(ev.Time.Add(-ev.Took)), trace.WithLinks(t.links(ev)...),
		trace.WithAttributes(t.spanAttributes(ev.Name, ev.Refresh, attrs)...))
	end(span, ev.Err, ev.Time)
}

// traceWait makes the span of a wait that is over.
func (t *Telemetry) traceWait(ctx context.Context, began *waiter, w silentrefresh.Wait, attrs []attribute.KeyValue) {
	_, span := t.tracer.Start(ctx, "silentrefresh wait",
		trace.WithTimestamp(began.began), trace.WithAttributes(t.spanAttributes(w.Name, w.Refresh, attrs)...))
	end(span, w.Err, began.began.Add(w.Took))
}

func (t *Telemetry) spanAttributes(session string, refresh uint64, attrs []attribute.KeyValue) []attribute.KeyValue {
	all := slices.Concat(t.cfg.Attributes, attrs, []attribute.KeyValue{sessionName.String(session)})
	if refresh != 0 {
		all = append(all, refreshNumber.Int64(int64(refresh)))
	}
	return all
}

func end(span trace.Span, err error, at time.Time) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End(trace.WithTimestamp(at))
}
