//go:build !windows

package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// abandoned reports whether nobody reads f any more: the other end of a pipe was closed, or a terminal has gone.
func abandoned(f *os.File) bool {
	fds := []unix.PollFd{{Fd: int32(f.Fd())}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}
