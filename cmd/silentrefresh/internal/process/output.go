// Package process is what the program shares with others that are started from a shell: outputs that may be full or closed,
// and signals that it dies of.
package process

import (
	"cmp"
	"context"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// An Output is a file that the program prints to. It remembers the first failure, so that no write has to be checked one by
// one, and none is forgotten.
type Output struct {
	file *os.File

	mu     sync.Mutex
	err    error
	closed bool        // what is written now is too late to matter
	fail   func(error) // is told of the failure; nil: nobody is
}

// NewOutput returns the Output to f.
func NewOutput(f *os.File) *Output { return &Output{file: f} }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil {
		o.note(err)
	}
	return n, err
}

func (o *Output) note(err error) {
	o.mu.Lock()
	first, fail := o.err == nil && !o.closed, o.fail
	if first {
		o.err = err
	}
	o.mu.Unlock()
	if first && fail != nil {
		fail(err)
	}
}

// Failed returns the first failure, nil if there was none.
func (o *Output) Failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// Close closes the file: a quota, or a server of files, may say only then that there is no room. It returns the first
// failure of all.
func (o *Output) Close() error {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	return cmp.Or(o.Failed(), o.file.Close())
}

// Until returns a context that ends when o can no longer be written: what nobody reads need not be made. It is called once,
// before anything is written.
func (o *Output) Until(ctx context.Context) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	o.fail = end
	return ctx
}

// Watch notices that nobody reads o any more, until ctx ends, also where it is written once in an hour: "watch | head" ends
// with head.
func (o *Output) Watch(ctx context.Context) {
	go func() {
		look := time.NewTicker(time.Second)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
				if abandoned(o.file) {
					o.note(syscall.EPIPE)
				}
			}
		}
	}()
}

// Raw returns the file behind a writer of the program's, for commands that write to it themselves.
func Raw(w io.Writer) io.Writer {
	for {
		switch v := w.(type) {
		case *Output:
			return v.file
		case interface{ Unwrap() io.Writer }:
			w = v.Unwrap()
		default:
			return w
		}
	}
}
