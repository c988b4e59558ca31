package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/filestore"
)

// isOver reports whether err says that only a login helps.
func isOver(err error) bool {
	return errors.Is(err, silentrefresh.ErrSessionOver) || errors.Is(err, silentrefresh.ErrNoSession)
}

// passes reports whether err may be gone later with nothing done about it: an outage, a limit of rates, a server that is
// being restarted. What this machine could not store does not pass, and neither does a refusal.
func passes(err error) bool {
	if stored, ok := errors.AsType[*filestore.Error](err); ok {
		return isLocked(stored)
	}
	e, ok := errors.AsType[*auth.Error](err)
	switch {
	case !ok:
		return isNetwork(err)
	case e.Refused, e.Unrecognized, e.Op == auth.KindLogout:
		return false
	case e.Op == auth.KindRefresh:
		return true // the next attempt has been planned
	}
	return e.RateLimited || e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError ||
		!e.Until.IsZero() || e.Status == 0 && isNetwork(e.Err)
}

// isLocked reports whether another process has the session's lock.
func isLocked(err *filestore.Error) bool {
	_, failed := errors.AsType[syscall.Errno](err)
	return err.Op == "lock" && !failed && !errors.Is(err, filestore.ErrFolderGone)
}

// isStored reports whether err is about what is stored here.
func isStored(err error) bool {
	_, stored := errors.AsType[*filestore.Error](err)
	return stored
}

// isDial reports whether err says that there was no connection.
func isDial(err error) bool {
	op, broken := errors.AsType[*net.OpError](err)
	return broken && op.Op == "dial"
}

// isNetwork reports whether err says that a server was not reached, or did not respond. A certificate that is not trusted
// is neither.
func isNetwork(err error) bool {
	if _, distrusted := errors.AsType[*tls.CertificateVerificationError](err); distrusted {
		return false
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	op, broken := errors.AsType[*net.OpError](err)
	if broken && op.Op == "listen" {
		return false // that is this machine
	}
	_, unnamed := errors.AsType[*net.DNSError](err)
	timeout, timed := errors.AsType[net.Error](err)
	return broken || unnamed || timed && timeout.Timeout()
}
