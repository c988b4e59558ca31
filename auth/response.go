package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Response is the document of an auth server's response (a user, permissions, ...). Because it may hold tokens, it
// redacts itself everywhere; Decode reads it. The zero value is empty.
//
// Like a Secret's, its text is a string behind a pointer: of a pointer to bytes, fmt shows the bytes where the verb
// does not fit, as in %s of a struct.
type Response struct{ raw *string }

// NewResponse wraps a JSON document, for an Exchanger.
func NewResponse(document []byte) Response {
	if len(document) == 0 {
		return Response{}
	}
	text := string(document)
	return Response{raw: &text}
}

// IsZero reports whether there is no document.
func (a Response) IsZero() bool { return a.raw == nil }

// Decode stores the document in the value that v points to, as json.Unmarshal does.
func (a Response) Decode(v any) error {
	if a.raw == nil {
		return errors.New("silentrefresh: no response to decode: it is given with the event of a login or a refresh")
	}
	if err := json.Unmarshal([]byte(*a.raw), v); err != nil {
		return fmt.Errorf("silentrefresh: decode the auth server's response into %T: %w", v, err)
	}
	return nil
}

// String returns "[redacted]", or "" for the zero Response.
func (a Response) String() string {
	if a.raw == nil {
		return ""
	}
	return Redacted
}

// GoString is String, for %#v.
func (a Response) GoString() string { return a.String() }

// Format writes String for every verb.
func (a Response) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// LogValue is String, for log/slog.
func (a Response) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON writes String.
func (a Response) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }
