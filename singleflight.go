package silentrefresh

import (
	"context"

	"golang.org/x/sync/singleflight"
)

// A landing is how a flight ended.
type landing struct {
	flew bool   // false if there was nothing to do
	from uint64 // the generation that the flight set out to replace
	err  error
}

// flight lets one refresh at a time into the air; whoever asks meanwhile joins it.
type flight struct {
	group *singleflight.Group
	key   string
}

// join waits for the flight that is under way, or starts one with fn. Whoever's ctx ends leaves alone, and so do all
// when wake is closed; the flight goes on. fn must not panic.
func (f *flight) join(ctx context.Context, wake <-chan struct{}, fn func() landing) (landing, error) {
	select {
	case r := <-f.group.DoChan(f.key, func() (any, error) { return fn(), nil }):
		return r.Val.(landing), nil
	case <-wake:
		return landing{}, nil
	case <-ctx.Done():
		return landing{}, context.Cause(ctx)
	}
}

// await waits until the flight that is under way now has landed.
func (f *flight) await(ctx context.Context) error {
	_, err := f.join(ctx, nil, func() landing { return landing{} })
	return err
}
