package otelrefresh

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/silentrefresh/silentrefresh"
)

const scope = "github.com/silentrefresh/silentrefresh/adapters/otelrefresh"

// Config says where metrics and spans go. The zero value is good.
type Config struct {
	// MeterProvider is where metrics go; nil: otel.GetMeterProvider().
	MeterProvider metric.MeterProvider
	// TracerProvider is where spans go; nil: otel.GetTracerProvider().
	TracerProvider trace.TracerProvider
	// Attributes are added to every metric and every span, to tell one server's sessions from another's: server.address,
	// say.
	Attributes []attribute.KeyValue
	// SessionName adds silentrefresh.session.name to the metrics of refreshes and waits as well. Leave it off where there
	// are many sessions, as Fork makes them: each would be series of its own.
	SessionName bool
}

// Telemetry observes the sessions of one silentrefresh.New and its Forks. Make it with New; its methods are safe for
// concurrent use.
type Telemetry struct {
	cfg     Config
	tracer  trace.Tracer
	metrics instruments

	mu      sync.Mutex
	watched map[*silentrefresh.Client]bool
	waiters map[string][]*waiter // by session
}

// New returns a Telemetry. Its error is one of the MeterProvider's.
func New(cfg Config) (*Telemetry, error) {
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	cfg.Attributes = slices.Clone(cfg.Attributes)
	t := &Telemetry{cfg: cfg, tracer: cfg.TracerProvider.Tracer(scope), watched: map[*silentrefresh.Client]bool{}, waiters: map[string][]*waiter{}}
	meter := cfg.MeterProvider.Meter(scope)
	if err := errors.Join(t.metrics.make(meter), t.report(meter)); err != nil {
		return nil, fmt.Errorf("otelrefresh: %w", err)
	}
	return t, nil
}

// attributes are those of a metric of a session.
func (t *Telemetry) attributes(session string, more ...attribute.KeyValue) metric.MeasurementOption {
	all := slices.Concat(t.cfg.Attributes, more)
	if t.cfg.SessionName {
		all = append(all, sessionName.String(session))
	}
	return metric.WithAttributeSet(attribute.NewSet(all...))
}
