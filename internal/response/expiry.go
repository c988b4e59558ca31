package response

import (
	"cmp"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// unitMark sets the names whose end is a unit apart from those that are so whole: "expires" is not "expire" in seconds.
const unitMark = "~"

// units are the ends of names that say what a number counts, longer ones before those that they end in.
var units = []struct {
	end  string
	unit time.Duration
}{
	{"milliseconds", time.Millisecond}, {"millisecs", time.Millisecond}, {"millis", time.Millisecond},
	{"msecs", time.Millisecond}, {"msec", time.Millisecond}, {"ms", time.Millisecond},
	{"seconds", time.Second}, {"secs", time.Second}, {"sec", time.Second},
	{"minutes", time.Minute}, {"mins", time.Minute}, {"min", time.Minute},
	{"hours", time.Hour}, {"hrs", time.Hour}, {"days", 24 * time.Hour},
	{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour},
}

// withoutUnit cuts from a plain name what it counts: "expiresinms" is "expiresin" in milliseconds.
func withoutUnit(name string) (base string, unit time.Duration) {
	for _, u := range units {
		if base, ok := strings.CutSuffix(name, u.end); ok {
			return base, u.unit
		}
	}
	return name, 0
}

// UnitOf is what a name that ends so says that it counts, of a time: "lease_ms" is 1ms; 0 if it does not say.
func UnitOf(name string) time.Duration {
	_, unit := withoutUnit(strings.TrimRight(Plain(name), " "))
	return unit
}

// Moment is the first of the named fields that makes sense as a time. A number counts units; if unit is 0, it counts what
// the end of the field's name says ("expires_in_ms"), or else what its size makes likely.
func (o *Object) Moment(names []string, unit time.Duration) (lifetime.Moment, bool) {
	for _, name := range names {
		if m, ok := lifetime.ReadIn(o.Get(name), unit); ok {
			return m, true
		}
	}
	for _, name := range names {
		if f, ok := o.names()[unitMark+name]; ok {
			if m, ok := lifetime.ReadIn(f.value, cmp.Or(unit, f.unit)); ok {
				return m, true
			}
		}
	}
	return lifetime.Moment{}, false
}

// FindMoment is Moment for what the object in is about: beside it, around it, or in an object of its own that is not
// inside of one whose plain name skip reports. in may be nil.
func (r *Response) FindMoment(
	in *Object, names []string, unit time.Duration, skip func(name string) bool,
) (lifetime.Moment, bool) {
	for o := in; o != nil; o = o.Around {
		if m, ok := o.Moment(names, unit); ok {
			return m, true
		}
	}
	for _, o := range r.Objects() {
		if o.Inside(skip) {
			continue
		}
		if m, ok := o.Moment(names, unit); ok {
			return m, true
		}
	}
	return lifetime.Moment{}, false
}
