package dashboard

import (
	"strconv"
	"sync"
	"time"
)

// window is how many seconds are counted one by one.
const window = 60

// A Counter counts requests. Its zero value is ready; its methods may be called concurrently.
type Counter struct {
	mu      sync.Mutex
	total   uint64
	results map[string]uint64
	seconds [window]int // a ring: the second s is at s mod window
	last    int64       // the second that was counted last
}

// Counts are what a Counter has counted.
type Counts struct {
	Total   uint64            `json:"total"`
	Results map[string]uint64 `json:"results"` // by the first digit of the status, "2xx"; "failed" had no response
	Seconds []int             `json:"seconds"` // the last minute, the present second last
}

// Arrived counts a request that has come.
func (c *Counter) Arrived(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moveLocked(now.Unix())
	c.total++
	c.seconds[c.last%window]++
}

// Ended counts what became of a request: a status, or 0 where there was no response.
func (c *Counter) Ended(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.results == nil {
		c.results = map[string]uint64{}
	}
	what := "failed"
	if status > 0 {
		what = strconv.Itoa(status/100) + "xx"
	}
	c.results[what]++
}

// moveLocked clears the seconds since the last request. A clock that was set back does not take them back.
func (c *Counter) moveLocked(second int64) {
	for s := max(c.last, second-window) + 1; s <= second; s++ {
		c.seconds[s%window] = 0
	}
	c.last = max(c.last, second)
}

// Counts returns what was counted so far.
func (c *Counter) Counts(now time.Time) Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moveLocked(now.Unix())
	counts := Counts{Total: c.total, Results: map[string]uint64{}, Seconds: make([]int, window)}
	for what, n := range c.results {
		counts.Results[what] = n
	}
	for i := range window {
		counts.Seconds[i] = c.seconds[(c.last+1+int64(i))%window]
	}
	return counts
}
