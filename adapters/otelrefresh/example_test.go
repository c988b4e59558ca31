package otelrefresh_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/otelrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// A request that waits for a refresh has a span that says so. In a real program the providers are the global ones.
func Example() {
	spans := tracetest.NewSpanRecorder()
	telemetry, err := otelrefresh.New(otelrefresh.Config{
		TracerProvider: trace.NewTracerProvider(trace.WithSpanProcessor(spans)),
	})
	if err != nil {
		log.Fatal(err)
	}
	server, err := authtest.Start(authtest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := silentrefresh.New(silentrefresh.Config{
		BaseURL:     server.URL(),
		Observe:     telemetry.Observe,
		ObserveWait: telemetry.ObserveWait,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	telemetry.Watch(client)
	err = client.Login(context.Background(), map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword})
	if err != nil {
		log.Fatal(err)
	}
	server.RevokeAccess()
	resp, err := client.HTTPClient().Get(server.URL() + "/me")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	for _, span := range spans.Ended() {
		if span.Name() == "silentrefresh wait" {
			fmt.Println(resp.Status, span.Attributes()[0].Value.AsString())
		}
	}
	// Output: 200 OK rejected
}
