package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// printTraces prints spans as trees, one a trace.
func printTraces(w io.Writer, spans []sdktrace.ReadOnlySpan) {
	slices.SortStableFunc(spans, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	for _, s := range spans {
		if !s.Parent().IsValid() {
			fmt.Fprintf(w, "\ntrace %s\n", short(s.SpanContext().TraceID().String()))
			printSpan(w, s, spans, "  ")
		}
	}
}

func printSpan(w io.Writer, s sdktrace.ReadOnlySpan, all []sdktrace.ReadOnlySpan, indent string) {
	fmt.Fprintf(w, "%-30s %4d ms", indent+s.Name(), s.EndTime().Sub(s.StartTime()).Milliseconds())
	for _, attr := range s.Attributes() {
		if name := string(attr.Key); strings.Contains(name, ".refresh.") {
			fmt.Fprintf(w, "  %s=%s", name[strings.LastIndex(name, ".")+1:], attr.Value.String())
		}
	}
	fmt.Fprintln(w)
	for _, link := range s.Links() {
		fmt.Fprintf(w, "%slinked to trace %s\n", indent+"  ", short(link.SpanContext.TraceID().String()))
	}
	for _, child := range all {
		if sameSpan(child.Parent(), s.SpanContext()) {
			printSpan(w, child, all, indent+"  ")
		}
	}
}

func sameSpan(a, b trace.SpanContext) bool {
	return a.TraceID() == b.TraceID() && a.SpanID() == b.SpanID()
}

// short is enough of an ID to tell it from others.
func short(id string) string { return id[:8] }

// What is worth looking at, by prefix.
var (
	inAnOutage = []string{"silentrefresh_refreshes", "silentrefresh_session_status", "silentrefresh_token", "silentrefresh_waiting"}
	afterIt    = append([]string{"silentrefresh_refresh_duration", "silentrefresh_wait_duration"}, inAnOutage...)
)

// printMetrics prints the metrics whose names begin with one of prefixes, as Prometheus scrapes them, without what is 0
// and without the buckets of histograms.
func printMetrics(w io.Writer, registry *prometheus.Registry, prefixes []string) error {
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		wanted := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(family.GetName(), p) })
		for _, m := range family.GetMetric() {
			if h := m.GetHistogram(); wanted && h != nil {
				fmt.Fprintf(w, "  %s_count%s %d\n", family.GetName(), labels(m), h.GetSampleCount())
				fmt.Fprintf(w, "  %s_sum%s %.3g\n", family.GetName(), labels(m), h.GetSampleSum())
			} else if value := cmp.Or(m.GetCounter().GetValue(), m.GetGauge().GetValue()); wanted && value != 0 {
				fmt.Fprintf(w, "  %s%s %.3g\n", family.GetName(), labels(m), value)
			}
		}
	}
	return nil
}

func labels(m *dto.Metric) string {
	var all []string
	for _, l := range m.GetLabel() {
		all = append(all, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	if len(all) == 0 {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}
