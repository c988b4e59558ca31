package auth

import "context"

type foregroundKey struct{}

// WithForeground returns a copy of ctx that says that a caller waits, for Foreground.
func WithForeground(ctx context.Context) context.Context {
	return context.WithValue(ctx, foregroundKey{}, true)
}

// Foreground reports whether a caller is waiting for the exchange that ctx belongs to, rather than the timer. An
// Exchanger or Credentials may ask a person for something only then.
func Foreground(ctx context.Context) bool {
	yes, _ := ctx.Value(foregroundKey{}).(bool)
	return yes
}
