package otelrefresh

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/silentrefresh/silentrefresh"
)

// Watch reports the state and the token of client's session from now on, until client is closed. Sessions are told apart
// by their names, so two Clients of one name need a Telemetry each, with Attributes that differ.
func (t *Telemetry) Watch(client *silentrefresh.Client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watched[client] = true
}

// sessions are the watched ones. Those that are closed are forgotten.
func (t *Telemetry) sessions() []silentrefresh.Status {
	t.mu.Lock()
	watched := slices.Collect(maps.Keys(t.watched))
	t.mu.Unlock()
	var all []silentrefresh.Status
	for _, client := range watched {
		s := client.Status()
		if s.State != silentrefresh.StateClosed {
			all = append(all, s)
			continue
		}
		t.mu.Lock()
		delete(t.watched, client)
		t.mu.Unlock()
	}
	return all
}

// gauges are the metrics of what is, which are looked at when metrics are collected.
type gauges struct {
	status           metric.Int64ObservableUpDownCounter
	age, remaining   metric.Float64ObservableGauge
	replays, dropped metric.Int64ObservableCounter
}

// report reports the watched sessions whenever metrics are collected.
func (t *Telemetry) report(meter metric.Meter) error {
	var g gauges
	if err := g.make(meter); err != nil {
		return err
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range t.sessions() {
			g.observe(o, s, slices.Concat(t.cfg.Attributes, []attribute.KeyValue{sessionName.String(s.Name)}))
		}
		return nil
	}, g.status, g.age, g.remaining, g.replays, g.dropped)
	return err
}

func (g *gauges) make(meter metric.Meter) error {
	var errs [5]error
	g.status, errs[0] = meter.Int64ObservableUpDownCounter("silentrefresh.session.status",
		metric.WithDescription("1 for the state that the session is in, 0 for the others."))
	g.age, errs[1] = meter.Float64ObservableGauge("silentrefresh.token.age", metric.WithUnit("s"),
		metric.WithDescription("Time since the token was asked for."))
	g.remaining, errs[2] = meter.Float64ObservableGauge("silentrefresh.token.remaining", metric.WithUnit("s"),
		metric.WithDescription("Time until the token ends, negative after that."))
	g.replays, errs[3] = meter.Int64ObservableCounter("silentrefresh.replays", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that were sent again with a newer token."))
	g.dropped, errs[4] = meter.Int64ObservableCounter("silentrefresh.events.dropped", metric.WithUnit("{event}"),
		metric.WithDescription("Events that came faster than they were observed."))
	return errors.Join(errs[:]...)
}

func (g *gauges) observe(o metric.Observer, s silentrefresh.Status, named []attribute.KeyValue) {
	with := metric.WithAttributeSet(attribute.NewSet(named...))
	for _, state := range states {
		is := int64(0)
		if s.State == state {
			is = 1
		}
		o.ObserveInt64(g.status, is, with, metric.WithAttributes(sessionState.String(word(string(state)))))
	}
	o.ObserveInt64(g.replays, int64(s.Stats.Replays), with)
	o.ObserveInt64(g.dropped, int64(s.Stats.EventsDropped), with)
	if !s.Issued.IsZero() {
		o.ObserveFloat64(g.age, time.Since(s.Issued).Seconds(), with)
	}
	if !s.Expires.IsZero() {
		o.ObserveFloat64(g.remaining, time.Until(s.Expires).Seconds(), with)
	}
}
