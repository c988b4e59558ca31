// Package otelrefresh shows the sessions of silentrefresh to OpenTelemetry: metrics, and a span of each refresh, linked to
// the requests that waited for it.
//
//	telemetry, err := otelrefresh.New(otelrefresh.Config{}) // with the global providers
//	...
//	client, err := silentrefresh.New(silentrefresh.Config{
//		BaseURL:     "https://api.example.com",
//		Observe:     telemetry.Observe,
//		ObserveWait: telemetry.ObserveWait,
//	})
//	...
//	telemetry.Watch(client)
//
// # Metrics
//
//	silentrefresh.refreshes           counter, {refresh}   by outcome and trigger
//	silentrefresh.refresh.duration    histogram, s         by outcome and trigger; without those that were adopted
//	silentrefresh.wait.duration       histogram, s         of those who waited for a token, by trigger
//	silentrefresh.waiting_requests    up-down counter      that wait now
//
// and of each session that is watched:
//
//	silentrefresh.session.status      up-down counter      1 for the state that it is in, 0 for the others
//	silentrefresh.token.age           gauge, s             since the token was asked for
//	silentrefresh.token.remaining     gauge, s             until it ends; negative after that
//	silentrefresh.replays             counter, {request}   sent again with a newer token
//	silentrefresh.events.dropped      counter, {event}     which the metrics above lack
//
// The attributes are silentrefresh.refresh.outcome (renewed, unchanged, adopted from another process, logged_in by
// Credentials, failed for now, refused for good), silentrefresh.refresh.trigger (timer, rejected, expired, asked,
// start), error.type (the HTTP status of the auth server, timeout, canceled, or _OTHER), silentrefresh.session.name and
// silentrefresh.session.state (no_session, logged_in, offline, interrupted, unclear, over).
//
// # Spans
//
// "silentrefresh refresh" is a trace of its own, since it belongs to no request and outlives whoever asked for it. Its
// links are the requests that wait for it, which were current in the context of each. "silentrefresh wait" is a child of
// such a request: it says where its time went. Both carry silentrefresh.refresh.number. They are made when they are
// over, so that nothing is kept of a caller but its span context, and that not longer than the refresh.
//
// No attribute and no text holds a token or a credential.
package otelrefresh
