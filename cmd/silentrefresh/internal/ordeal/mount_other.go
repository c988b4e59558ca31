//go:build !linux && !windows

package main

func (st *stage) mount(string, string) (string, func()) {
	st.skip("a file system of its own is mounted only on Linux")
	return "", nil
}

func (st *stage) readOnly(string) {}
