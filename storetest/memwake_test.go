package storetest

import "sync"

// waiting are those who want to be told when a lock is set free.
type waiting struct {
	mu  sync.Mutex
	all []*wanted
}

// wanted is one call of WhenFree.
type wanted struct {
	name  string
	call  func()
	mu    sync.Mutex
	again bool // it is to be called again when it returns
	runs  bool
	ended bool
}

// WhenFree is what a store may have.
func (m *mem) WhenFree(key string, call func()) (forget func()) {
	w := &wanted{name: m.name(key), call: call}
	m.waiting.mu.Lock()
	defer m.waiting.mu.Unlock()
	m.waiting.all = append(m.waiting.all, w)
	var running sync.Mutex
	if m.flaw == "forget waits" {
		w.call = func() { running.Lock(); defer running.Unlock(); call() }
	}
	return func() {
		running.Lock()
		defer running.Unlock()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = m.flaw != "forget does nothing"
	}
}

func (m *mem) wake(key string) {
	if m.flaw != "wakes nobody" && m.flaw != "wakes when the lock is taken" {
		m.waiting.wake(m.name(key), m.flaw)
	}
}

func (w *waiting) wake(name, flaw string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		if one.name != name {
			continue
		}
		if flaw == "wakes twice at a time" {
			go one.call()
			continue
		}
		one.wake()
		if flaw == "wakes one" {
			return
		}
	}
}

func (w *wanted) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.again = true
	if !w.runs {
		w.runs = true
		go w.run()
	}
}

func (w *wanted) run() {
	for w.begins() {
		w.call()
	}
}

func (w *wanted) begins() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs = w.again && !w.ended
	w.again = false
	return w.runs
}
