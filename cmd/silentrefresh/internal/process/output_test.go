package process

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// TestF97_TheFirstFailureIsRemembered, ends the context, and is what Close returns.
func TestF97_TheFirstFailureIsRemembered(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	o := NewOutput(w)
	ctx := o.Until(t.Context())
	if fmt.Fprint(o, "read"); o.Failed() != nil || ctx.Err() != nil {
		t.Fatalf("written, and failed: %v, %v", o.Failed(), ctx.Err())
	}
	r.Close()
	fmt.Fprint(o, "lost")
	first := o.Failed()
	if first == nil || context.Cause(ctx) != first {
		t.Fatalf("lost: %v, %v", first, context.Cause(ctx))
	}
	if o.Close() != first {
		t.Error("Close forgets it")
	}
}

// TestF97_CloseIsAnOutputsLastWord: what is written too late is no failure, and a close that fails is one.
func TestF97_CloseIsAnOutputsLastWord(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	o := NewOutput(w)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if fmt.Fprint(o, "late"); o.Failed() != nil {
		t.Errorf("late: %v", o.Failed())
	}
	if NewOutput(w).Close() == nil {
		t.Error("a file that cannot be closed was closed")
	}
}

func TestRaw(t *testing.T) {
	if got := Raw(NewOutput(os.Stdout)); got != os.Stdout {
		t.Errorf("got %v", got)
	}
	if got := Raw(os.Stderr); got != os.Stderr {
		t.Errorf("got %v", got)
	}
}
