package otelrefresh

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

// The attributes.
const (
	sessionName   = attribute.Key("silentrefresh.session.name")
	sessionState  = attribute.Key("silentrefresh.session.state")
	outcome       = attribute.Key("silentrefresh.refresh.outcome")
	trigger       = attribute.Key("silentrefresh.refresh.trigger")
	refreshNumber = attribute.Key("silentrefresh.refresh.number")
	errorType     = attribute.Key("error.type") // of the semantic conventions
)

// outcomes are how a refresh may end.
var outcomes = map[silentrefresh.EventKind]string{
	silentrefresh.EventRenewed:      "renewed",
	silentrefresh.EventUnchanged:    "unchanged",
	silentrefresh.EventAdopted:      "adopted",
	silentrefresh.EventLoggedIn:     "logged_in",
	silentrefresh.EventRetrying:     "failed",
	silentrefresh.EventOver:         "refused",
	silentrefresh.EventNotRenewable: "refused",
}

// states are all that a session may be in, for as long as it is watched.
var states = []silentrefresh.State{
	silentrefresh.StateNone, silentrefresh.StateLoggedIn, silentrefresh.StateOffline, silentrefresh.StateInterrupted,
	silentrefresh.StateUnclear, silentrefresh.StateOver,
}

// word writes a state as the semantic conventions write values.
func word(s string) string { return strings.ReplaceAll(s, " ", "_") }

// withError adds the type of err, if there is one: of few values, as metrics need it.
func withError(attrs []attribute.KeyValue, err error) []attribute.KeyValue {
	if err == nil {
		return attrs
	}
	return append(attrs, errorType.String(typeOf(err)))
}

func typeOf(err error) string {
	if failed, ok := errors.AsType[*auth.Error](err); ok && failed.Status != 0 {
		return strconv.Itoa(failed.Status)
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return "timeout"
	}
	return "_OTHER"
}
