package pace

import (
	"sync"
	"time"
)

// A Crowd tells who logs in alone from those who log in together, as the sessions of one program do when it starts. The
// zero value has seen nobody. Its methods are safe for concurrent use.
type Crowd struct {
	mu   sync.Mutex
	last time.Time // when the last one came
}

// Join notes a login at the time now whose token has the given lifetime, and reports whether it is one of many: whether
// the one before came within a hundredth of that. What comes less often makes no peak that anybody would notice.
func (c *Crowd) Join(now time.Time, life time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.last
	c.last = now
	return !last.IsZero() && now.Sub(last) < life/100
}
