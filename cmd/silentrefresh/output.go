package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// An output is a file that the program prints to. It remembers the first failure, so that no write has to be checked one by
// one, and none is forgotten.
type output struct {
	file *os.File

	mu     sync.Mutex
	err    error
	closed bool        // what is written now is too late to matter
	fail   func(error) // is told of the failure; nil: nobody is
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil {
		o.note(err)
	}
	return n, err
}

func (o *output) note(err error) {
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

// failed is the first failure, nil if there was none.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// close closes the file: a quota, or a server of files, may say only then that there is no room. It returns the first
// failure of all.
func (o *output) close() error {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	return cmp.Or(o.failed(), o.file.Close())
}

// untilWritten returns a context that ends when o can no longer be written: what nobody reads need not be made.
func untilWritten(ctx context.Context, o *output) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	o.fail = end
	return ctx
}

// watchReader ends the program's context when nobody reads its output any more, also where it prints once in an hour:
// "watch | head" ends with head.
func (a *app) watchReader(ctx context.Context) {
	o, ok := a.out.(*output)
	if !ok {
		return
	}
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

// settled is the exit status of the program, which would be code if all that it printed was written. What was not is said on
// stderr, but for a reader that has gone: then the program dies as others do.
func settled(stdout, stderr *output, code int) int {
	if errors.Is(stdout.failed(), syscall.EPIPE) {
		dieOfClosedOutput(stdout.file)
	}
	if err := stdout.close(); err != nil {
		fmt.Fprintf(stderr, "silentrefresh: the output was not written: %s\n", reasonOf(err))
		code = cmp.Or(code, exitFailed)
	}
	if stderr.close() != nil {
		code = cmp.Or(code, exitFailed) // and there is nowhere to say so
	}
	return code
}

// reasonOf is why a file was not written or read, without the name of the file, which the text before it has.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		err = path.Err
	}
	return err.Error()
}

// rawFile is the file behind a writer of the program's, for commands that write to it themselves.
func rawFile(w io.Writer) io.Writer {
	for {
		switch v := w.(type) {
		case *output:
			return v.file
		case interface{ Unwrap() io.Writer }:
			w = v.Unwrap()
		default:
			return w
		}
	}
}
