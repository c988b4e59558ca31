package authtest

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// journalLimit is how many requests the page of buttons shows.
const journalLimit = 200

// An entry is a request as the page of buttons shows it: nothing of it that may be secret.
type entry struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`   // without the query
	Status int       `json:"status"` // 0: there was no response
	Took   int64     `json:"took_ms"`
}

// A journal keeps the last requests. Its zero value is ready.
type journal struct {
	mu      sync.Mutex
	entries []entry
}

// of lets h serve, and keeps what it is asked. What the page itself asks is left out.
func (j *journal) of(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/_test/") {
			h.ServeHTTP(w, r)
			return
		}
		began, seen := time.Now(), &statusWriter{ResponseWriter: w}
		e := entry{Time: wall.Now(), Method: r.Method, Path: r.URL.Path}
		defer func() { // also of a handler that panics, to break the connection
			e.Status, e.Took = seen.status, time.Since(began).Milliseconds()
			j.add(e)
		}()
		h.ServeHTTP(seen, r)
	})
}

func (j *journal) add(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == journalLimit {
		j.entries = append(j.entries[:0], j.entries[1:]...)
	}
	j.entries = append(j.entries, e)
}

func (j *journal) all() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]entry{}, j.entries...)
}

// A statusWriter remembers the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// Unwrap lets http.ResponseController find what the writer can do.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}
