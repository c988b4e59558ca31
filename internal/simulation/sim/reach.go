package sim

import (
	"context"
	"hash/fnv"
	"slices"
	"time"
)

// This file is what is between a Store and its database.

// What becomes of a statement while its process is cut off.
var cutFates = []string{"statement comes late", "statement is lost", "statement's response is lost"}

// reach is Process.Reach.
func (p *process) reach(ctx context.Context, do func() error) error {
	p.breakAt("before statement")
	if err := p.pass(); err != nil {
		return err
	}
	fate, left := p.cutOff()
	switch fate {
	case cutFates[0]:
		if err := p.w.nap(ctx, left); err != nil {
			return err
		}
	case cutFates[1]:
		return errStore
	}
	err := do()
	p.breakAt("after statement")
	if gone := p.pass(); gone != nil {
		return gone
	}
	if fate == cutFates[2] {
		return errStore
	}
	return err
}

// cutOff is what becomes of a statement now, "" for what should, and for how long the process is cut off.
func (p *process) cutOff() (fate string, left time.Duration) {
	w := p.w
	w.mu.Lock()
	left = p.lasts(doCut)
	w.mu.Unlock()
	if left == 0 {
		return "", 0
	}
	fate = cutFates[int(w.roll()*float64(len(cutFates)))]
	w.tell(fact{who: p.n, what: storeFail, text: fate})
	return fate, left
}

// isCut reports whether f tells of a Store that does not reach its database.
func (f fact) isCut() bool { return f.what == storeFail && slices.Contains(cutFates, f.text) }

// hash tells records apart. That of none is 0.
func hash(b []byte) uint64 {
	if b == nil {
		return 0
	}
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}
