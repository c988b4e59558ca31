package main

import (
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, 300, 8, 2*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), " 0 failed") {
		t.Error(out.String())
	}
}

func TestVerdict(t *testing.T) {
	for name, spoil := range map[string]func(*platform){
		"too many at a time":  func(p *platform) { p.server.mostRunning.Store(9) },
		"a cookie was reused": func(p *platform) { p.server.reuses.Store(1) },
		"another's token":     func(p *platform) { p.server.wrong.Store(1) },
	} {
		p := &platform{server: newAuthServer(time.Second), limit: 8, out: &strings.Builder{}}
		if err := p.verdict(); err != nil {
			t.Fatal(err)
		}
		if spoil(p); p.verdict() == nil {
			t.Errorf("%s: the verdict is good", name)
		}
	}
}
