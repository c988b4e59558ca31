//go:build !unix

package pgserver

import "os/exec"

func unprivileged(cmd *exec.Cmd, dir string) error {
	cmd.Dir = dir
	return nil
}
