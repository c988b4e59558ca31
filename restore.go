package silentrefresh

import (
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"
)

// restored returns after, which is what a failed exchange made of before, with the cookies that the failed response
// deleted or emptied. Those that it added, or gave another value, stay.
func restored(before, after []auth.Cookie) []auth.Cookie {
	for _, c := range before {
		if !c.Value.IsZero() && !slices.ContainsFunc(after, func(o auth.Cookie) bool { return sameSlot(c, o) && !o.Value.IsZero() }) {
			after = append(after, c)
		}
	}
	return auth.NewJar(after...).All()
}

// sameSlot reports whether a jar has room for only one of the two (RFC 6265bis section 5.7).
func sameSlot(a, b auth.Cookie) bool {
	return a.Name == b.Name && a.Domain == b.Domain && a.HostOnly == b.HostOnly && a.Path == b.Path
}
