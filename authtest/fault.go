package authtest

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// A FaultKind says what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	// Drop closes the connection without a response; Reset resets it.
	Drop  FaultKind = "drop"
	Reset FaultKind = "reset"
	// Hang responds only after Release, as if nothing had happened; or never, if the client goes away before.
	Hang FaultKind = "hang"
	// Status responds with Fault.Status, Header and Body.
	Status FaultKind = "status"
	// HTML returns 200 with a page, as a captive portal does.
	HTML FaultKind = "html"
	// Garbage returns 200 with JSON that is none.
	Garbage FaultKind = "garbage"
	// Huge returns 200 with a JSON document of 1 GB.
	Huge FaultKind = "huge"
	// Truncated breaks off in the middle of the response. It makes sense with Commit alone, and sets it.
	Truncated FaultKind = "truncated"
	// NoToken responds to a refresh as usual, but without a new token, and rotates nothing: the present ones live on.
	NoToken FaultKind = "no-token"
	// SameToken responds to a refresh with the access token that the session has already, valid for a new term.
	SameToken FaultKind = "same-token"
	// OtherSubject responds to a refresh with an access token of another account.
	OtherSubject FaultKind = "other-subject"
)

// A Fault is something that goes wrong at an auth endpoint.
type Fault struct {
	// Kind is what goes wrong.
	Kind FaultKind `json:"kind"`
	// At is where. "": at Refresh.
	At Endpoint `json:"at,omitempty"`
	// Times is how many calls it happens to. 0: one.
	Times int `json:"times,omitempty"`
	// Commit means that the server does its work first (a refresh token is spent, say) and only the response
	// suffers. Otherwise it is as if the call had never reached it.
	Commit bool `json:"commit,omitempty"`
	// Status is the status of a Status fault. 0: 500.
	Status int `json:"status,omitempty"`
	// Header is its header. Without a Content-Type the body is plain text.
	Header map[string]string `json:"header,omitempty"`
	// Body is its body. "": the status's text.
	Body string `json:"body,omitempty"`
}

// Fault lets things go wrong at the next calls, one after the other: each fault waits until those before it, at the
// same endpoint, have happened. A misspelt kind or endpoint panics.
func (s *Server) Fault(script ...Fault) {
	for _, f := range script {
		if !f.known() {
			panic("authtest: Fault: there is no kind " + strconv.Quote(string(f.Kind)) + " at endpoint " + strconv.Quote(string(f.At)))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range script {
		f = f.complete()
		for range max(1, f.Times) {
			s.faults[f.At] = append(s.faults[f.At], f)
		}
	}
}

func (f Fault) known() bool {
	switch f.At {
	case "", Login, Refresh, Logout:
	default:
		return false
	}
	switch f.Kind {
	case NoToken, SameToken, OtherSubject:
		return f.At == "" || f.At == Refresh
	case Drop, Reset, Hang, Status, HTML, Garbage, Huge, Truncated:
		return true
	default:
		return false
	}
}

func (f Fault) complete() Fault {
	if f.At == "" {
		f.At = Refresh
	}
	if f.Status == 0 {
		f.Status = http.StatusInternalServerError
	}
	if f.Kind == Truncated {
		f.Commit = true
	}
	f.Header = maps.Clone(f.Header)
	return f
}

// ClearFaults forgets the faults that have not happened yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// Release lets the calls that hang go on.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.release)
	s.release = make(chan struct{})
}

func (s *Server) nextFault(at Endpoint) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.faults[at]
	if len(queue) == 0 {
		return Fault{}
	}
	s.faults[at] = queue[1:]
	return queue[0]
}

// interfere plays the call's fault, and reports whether that took the place of the usual response.
func (s *Server) interfere(w http.ResponseWriter, call *authCall) bool {
	switch f := call.fault; f.Kind {
	case Drop:
		panic(http.ErrAbortHandler)
	case Reset:
		reset(w)
	case Hang:
		return !s.hang(call.r)
	case Status:
		f.response(w)
	case HTML:
		page(w)
	case Garbage:
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"accessToken":`+"\x00\xff"+`"}]`)
	case Huge:
		huge(w)
	default:
		return false
	}
	return true
}

// hang waits for Release, and reports whether the call is still worth a response.
func (s *Server) hang(r *http.Request) bool {
	s.mu.Lock()
	release := s.release
	s.counters.Hanging++
	s.mu.Unlock()
	defer s.count(func(n *Counters) { n.Hanging-- })
	select {
	case <-release:
		return true
	case <-r.Context().Done():
	case <-s.closing:
	}
	return false
}

func (f Fault) response(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	body := f.Body
	if body == "" {
		body = http.StatusText(f.Status) + "\n"
	}
	io.WriteString(w, body)
}

func page(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!doctype html><title>Welcome</title><p>Please accept our terms to use this network.</p>\n")
}

const hugeSize = 1 << 30

// huge writes JSON until the client has had enough, which is when writing fails.
func huge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"accessToken":"`)
	chunk := []byte(strings.Repeat("a", 64<<10))
	for range hugeSize / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	io.WriteString(w, `"}`)
}

// reset resets the connection; one of HTTP/2 loses the one stream.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if c, ok := netConn(conn).(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
	netConn(conn).Close()
}

// netConn is the connection below TLS.
func netConn(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c
}

// truncate breaks the response off in the middle, for a Truncated fault.
func (f Fault) truncate(w http.ResponseWriter, call *authCall, a *response) {
	if f.Kind != Truncated {
		return
	}
	cut := &truncated{header: w.Header()}
	a.write(cut, call.c)
	w.WriteHeader(cut.status)
	w.Write(cut.body.Bytes()[:cut.body.Len()/2])
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// truncated takes down a response that is not to be sent whole.
type truncated struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (t *truncated) Header() http.Header         { return t.header }
func (t *truncated) WriteHeader(status int)      { t.status = status }
func (t *truncated) Write(b []byte) (int, error) { return t.body.Write(b) }
