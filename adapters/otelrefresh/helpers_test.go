package otelrefresh

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// Without a Logger, warnings go to slog.Default: these tests provoke them.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// A lab is a Telemetry whose metrics and spans can be looked at.
type lab struct {
	*Telemetry
	t      *testing.T
	spans  *tracetest.SpanRecorder
	tracer trace.Tracer // of the application
	reader *metric.ManualReader
}

func newLab(t *testing.T, change ...func(*Config)) *lab {
	t.Helper()
	l := &lab{t: t, spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(l.spans))
	l.tracer = provider.Tracer("application")
	cfg := Config{TracerProvider: provider, MeterProvider: metric.NewMeterProvider(metric.WithReader(l.reader))}
	for _, ch := range change {
		ch(&cfg)
	}
	var err error
	if l.Telemetry, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return l
}

// client returns a Client of as's that is logged in, observed and watched.
func (l *lab) client(as *fakes.Server) *silentrefresh.Client {
	l.t.Helper()
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: as, Base: as, AuthBase: as,
		Observe: l.Observe, ObserveWait: l.ObserveWait})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { client.Close() })
	if err := client.Login(l.t.Context(), nil); err != nil {
		l.t.Fatal(err)
	}
	l.Watch(client)
	return client
}

// get sends a request within a span of that name, and returns its status, 0 with an error.
func (l *lab) get(client *silentrefresh.Client, name string) int {
	ctx, span := l.tracer.Start(context.Background(), name)
	defer span.End()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/me", nil)
	resp, err := client.HTTPClient().Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// named are the ended spans of that name.
func (l *lab) named(name string) (all []sdktrace.ReadOnlySpan) {
	for _, s := range l.spans.Ended() {
		if s.Name() == name {
			all = append(all, s)
		}
	}
	return all
}

// one is the only span of that name.
func (l *lab) one(name string) sdktrace.ReadOnlySpan {
	l.t.Helper()
	all := l.named(name)
	if len(all) != 1 {
		l.t.Fatalf("%d spans %q", len(all), name)
	}
	return all[0]
}

// value is an attribute's, as text; "" if there is none.
func value(attrs []attribute.KeyValue, key attribute.Key) string {
	set := attribute.NewSet(attrs...)
	if v, ok := set.Value(key); ok {
		return v.String()
	}
	return ""
}

// collect returns all data points, as text by metric and attributes: numbers, and count and sum of histograms.
func (l *lab) collect() map[string]string {
	l.t.Helper()
	var data metricdata.ResourceMetrics
	if err := l.reader.Collect(context.Background(), &data); err != nil {
		l.t.Fatal(err)
	}
	points := map[string]string{}
	encode := func(name string, set attribute.Set) string {
		return name + "{" + set.Encoded(attribute.DefaultEncoder()) + "}"
	}
	for _, s := range data.ScopeMetrics {
		for _, m := range s.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					points[encode(m.Name, p.Attributes)] = fmt.Sprint(p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					points[encode(m.Name, p.Attributes)] = fmt.Sprint(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					points[encode(m.Name, p.Attributes)] = fmt.Sprintf("%d in %v", p.Count, p.Sum)
				}
			default:
				l.t.Errorf("%s is a %T", m.Name, d)
			}
		}
	}
	return points
}
