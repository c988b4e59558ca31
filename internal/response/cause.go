package response

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

var errMalformed = errors.New("the response is not valid HTTP")

// Cause is what went wrong below HTTP, without what an error of net/http carries beside it: the URL with its query, or a
// line of the response.
func Cause(err error) error {
	for {
		outer, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = outer.Err
	}
	for _, known := range []error{context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	if text := err.Error(); strings.Contains(text, "malformed") {
		return errMalformed
	} else if strings.ContainsAny(text, "?=\r\n") || len(text) > 300 {
		return fmt.Errorf("the connection failed (%T)", err)
	}
	return err
}
