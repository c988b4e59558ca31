//go:build unix

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
)

func TestF35_StoppedHolderOverwritesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		put(t, s, "k", "before")
		h := startHolder(t, e)
		must(t, h.cmd.Process.Signal(syscall.SIGSTOP))
		put(t, s, "k", "newer")
		must(t, h.cmd.Process.Signal(syscall.SIGCONT))
		fmt.Fprintln(h.in)
		h.says("conflict: true")
		want(t, s, "k", "newer")
	})
}

// The one who has taken over need not have saved anything yet.
func TestF35_StoppedHolderSavesNothingWhileAnotherIsAtWork(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		put(t, s, "k", "before")
		h := startHolder(t, e)
		must(t, h.cmd.Process.Signal(syscall.SIGSTOP))
		err := s.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
			must(t, h.cmd.Process.Signal(syscall.SIGCONT))
			fmt.Fprintln(h.in)
			h.says("conflict: true")
			return errors.Join(save([]byte("intent")), save([]byte("newer")))
		})
		must(t, err)
		want(t, s, "k", "newer")
	})
}
