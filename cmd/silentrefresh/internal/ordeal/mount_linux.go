package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// mount makes a small file system of its own in the stage's folder. Only root may.
func (st *stage) mount(name string, size string) (dir string, unmount func()) {
	dir = filepath.Join(st.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		st.fatal("%v", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		st.skip("a file system of its own cannot be mounted here (%v)", err)
	}
	return dir, func() { syscall.Unmount(dir, syscall.MNT_DETACH) }
}

// readOnly makes a file system that mount made read-only.
func (st *stage) readOnly(dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		st.fatal("make %s read-only: %v", dir, err)
	}
}
