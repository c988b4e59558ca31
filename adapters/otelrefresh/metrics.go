package otelrefresh

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/silentrefresh/silentrefresh"
)

// buckets are those that the semantic conventions advise for HTTP, and two more for backoffs.
var buckets = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60)

// instruments are the metrics of what happens.
type instruments struct {
	refreshes metric.Int64Counter
	duration  metric.Float64Histogram
	waits     metric.Float64Histogram
	waiting   metric.Int64UpDownCounter
}

func (m *instruments) make(meter metric.Meter) error {
	var errs [4]error
	m.refreshes, errs[0] = meter.Int64Counter("silentrefresh.refreshes", metric.WithUnit("{refresh}"),
		metric.WithDescription("Refreshes that have ended, by outcome and by what asked for them."))
	m.duration, errs[1] = meter.Float64Histogram("silentrefresh.refresh.duration", metric.WithUnit("s"), buckets,
		metric.WithDescription("How long refreshes took, the wait for a lock included."))
	m.waits, errs[2] = meter.Float64Histogram("silentrefresh.wait.duration", metric.WithUnit("s"), buckets,
		metric.WithDescription("How long requests waited that found no usable token."))
	m.waiting, errs[3] = meter.Int64UpDownCounter("silentrefresh.waiting_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that wait for a token."))
	return errors.Join(errs[:]...)
}

// Observe is for silentrefresh.Config.Observe.
func (t *Telemetry) Observe(ev silentrefresh.Event) {
	how, ended := outcomes[ev.Kind]
	if ev.Refresh == 0 || !ended {
		return
	}
	attrs := withError([]attribute.KeyValue{outcome.String(how), trigger.String(string(ev.Trigger))}, ev.Err)
	with, ctx := t.attributes(ev.Name, attrs...), context.Background()
	t.metrics.refreshes.Add(ctx, 1, with)
	if ev.Took > 0 {
		t.metrics.duration.Record(ctx, ev.Took.Seconds(), with)
	}
	t.traceRefresh(ev, attrs)
}

// trivial is a wait without a token that was none: the caller has learned at once that there is no session.
const trivial = time.Millisecond

// ObserveWait is for silentrefresh.Config.ObserveWait.
func (t *Telemetry) ObserveWait(ctx context.Context, w silentrefresh.Wait) func(silentrefresh.Wait) {
	began, waiting := t.begin(ctx, w), t.attributes(w.Name)
	t.metrics.waiting.Add(ctx, 1, waiting)
	return func(w silentrefresh.Wait) {
		t.metrics.waiting.Add(ctx, -1, waiting)
		t.over(began, w)
		if w.Err != nil && w.Took < trivial {
			return
		}
		attrs := withError([]attribute.KeyValue{trigger.String(string(w.Trigger))}, w.Err)
		t.metrics.waits.Record(ctx, w.Took.Seconds(), t.attributes(w.Name, attrs...))
		t.traceWait(ctx, began, w, attrs)
	}
}
