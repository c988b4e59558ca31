package silentrefresh

import (
	"errors"
	"fmt"

	"github.com/silentrefresh/silentrefresh/auth"
)

// The errors that a caller decides on. Test for them with errors.Is: they come wrapped in what happened.
var (
	// ErrNoSession: nobody has logged in yet, or somebody logged out. Call Login.
	ErrNoSession = errors.New("silentrefresh: no session: call Login")

	// ErrSessionOver: the auth server has ended the session, another process has logged out or in as somebody else, or the
	// token has ended and nothing can renew it. Only Login, Resume or Credentials help.
	ErrSessionOver = auth.ErrSessionOver

	// ErrClosed: the Client was closed.
	ErrClosed = errors.New("silentrefresh: the client is closed")
)

// overError is ErrSessionOver for a reason that is not a response of the auth server.
func overError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrSessionOver, fmt.Errorf(format, args...))
}
