// Command outage shows what otelrefresh says of a session: a trace of a request that waited for a refresh, and the metrics
// of an outage, as the OpenTelemetry SDK and its Prometheus exporter have them. It needs nothing, and takes 10 s.
//
//	go run ./adapters/otelrefresh/examples/outage
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/otelrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	o, err := newObservatory()
	if err != nil {
		return err
	}
	server, err := authtest.Start(authtest.Config{AccessTTL: 4 * time.Second, RefreshDelay: 300 * time.Millisecond})
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := silentrefresh.New(silentrefresh.Config{
		BaseURL:     server.URL(),
		Observe:     o.telemetry.Observe,
		ObserveWait: o.telemetry.ObserveWait,
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer client.Close()
	o.telemetry.Watch(client)
	if err := client.Login(ctx, map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
		return err
	}
	app := &application{client: client, url: server.URL() + "/me", tracer: o.tracing.Tracer("application")}

	server.RevokeAccess()
	app.get(ctx, 3)
	fmt.Println("Every token was revoked while 3 requests were sent:")
	time.Sleep(aMoment)
	printTraces(os.Stdout, o.spans.Ended())

	server.Down(authtest.Unavailable)
	time.Sleep(5 * time.Second) // the token ends
	waited := make(chan struct{})
	go func() { app.get(ctx, 20); close(waited) }()
	time.Sleep(aMoment)
	fmt.Println("\nThe auth server is away, the token has ended, and 20 requests wait:")
	away := printMetrics(os.Stdout, o.registry, inAnOutage)
	server.Up()
	<-waited
	time.Sleep(aMoment)
	fmt.Println("\nIt is back:")
	return errors.Join(away, printMetrics(os.Stdout, o.registry, afterIt), app.failure())
}

// aMoment is enough for events, which come a little later than what they tell of.
const aMoment = 100 * time.Millisecond

// An observatory is where metrics and traces end up.
type observatory struct {
	telemetry *otelrefresh.Telemetry
	registry  *prometheus.Registry    // a service serves it with promhttp
	spans     *tracetest.SpanRecorder // a service has a batcher with an OTLP exporter
	tracing   *sdktrace.TracerProvider
}

func newObservatory() (*observatory, error) {
	o := &observatory{registry: prometheus.NewRegistry(), spans: tracetest.NewSpanRecorder()}
	exporter, err := promexporter.New(promexporter.WithRegisterer(o.registry), promexporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	o.tracing = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	o.telemetry, err = otelrefresh.New(otelrefresh.Config{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(exporter)),
		TracerProvider: o.tracing,
	})
	return o, err
}

// An application sends requests, each within a span as an instrumented HTTP client makes it.
type application struct {
	client *silentrefresh.Client
	url    string
	tracer trace.Tracer

	mu     sync.Mutex
	failed []error
}

// get sends n requests at once, and waits for all.
func (a *application) get(ctx context.Context, n int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := a.getOne(ctx); err != nil {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.failed = append(a.failed, err)
			}
		})
	}
	all.Wait()
}

func (a *application) getOne(ctx context.Context) error {
	ctx, span := a.tracer.Start(ctx, "GET /me", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return err
	}
	resp, err := a.client.HTTPClient().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// failure is why requests failed; nil if none did.
func (a *application) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return errors.Join(a.failed...)
}
