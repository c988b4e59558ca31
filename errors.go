package silentrefresh

import (
	"errors"
	"fmt"

	"github.com/silentrefresh/silentrefresh/auth"
)

// What a caller decides on. Test for them with errors.Is: they come wrapped in what happened.
var (
	// ErrNoSession: nobody has logged in yet, or somebody logged out. Call Login.
	ErrNoSession = errors.New("silentrefresh: no session: call Login")

	// ErrSessionOver: the auth server has ended the session, or another process has logged out. Only Login helps.
	ErrSessionOver = auth.ErrSessionOver

	// ErrClosed: the Client was closed.
	ErrClosed = errors.New("silentrefresh: the client is closed")
)

// overError is ErrSessionOver for a reason that is not a response of the auth server.
func overError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrSessionOver, fmt.Errorf(format, args...))
}
