package replay

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// HeldBody is how much of a response is kept while its connection is given back.
const HeldBody = 64 << 10

var ErrCut = errors.New("silentrefresh: the rest of this response was given up, so that its connection was free for the refresh")

// Free reads resp's body, so that its connection is free while the request waits: a pool of two connections that
// are both held by unread responses would let nobody through. An endless body is cut.
func Free(resp *http.Response) {
	body := resp.Body
	if body == nil { // net/http takes that for an empty one, too
		return
	}
	timer := time.AfterFunc(time.Second, func() { body.Close() })
	prefix, err := io.ReadAll(io.LimitReader(body, HeldBody+1))
	late := !timer.Stop()
	body.Close()
	if late && err != nil || err == nil && len(prefix) > HeldBody {
		prefix, err = prefix[:min(len(prefix), HeldBody)], ErrCut
	}
	resp.Body = &held{prefix: prefix, end: err}
}

// held is a body that was read before it was asked for, and how reading it ended.
type held struct {
	prefix []byte
	end    error // nil: io.EOF
}

// Read implements io.Reader.
func (h *held) Read(p []byte) (int, error) {
	if len(h.prefix) == 0 {
		if h.end != nil {
			return 0, h.end
		}
		return 0, io.EOF
	}
	n := copy(p, h.prefix)
	h.prefix = h.prefix[n:]
	return n, nil
}

// Close implements io.Closer.
func (h *held) Close() error {
	h.prefix, h.end = nil, nil
	return nil
}
