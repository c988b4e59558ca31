package main

import (
	"fmt"
	"runtime"
	"time"
)

// measure runs one step and prints a line of the table, and what the server saw meanwhile.
func (p *platform) measure(name string, do func() error) error {
	p.server.startCount()
	start := time.Now()
	goroutines := sampleGoroutines()
	if err := do(); err != nil {
		return err
	}
	took, most := time.Since(start), goroutines()
	p.mu.RLock()
	sessions := len(p.users)
	p.mu.RUnlock()
	fmt.Fprintf(p.out, "%-34s %9.1f %9d %11.2f %10d\n", name, took.Seconds(), sessions, heapKB()/float64(sessions), most)
	if n, busiest := p.server.count(); n > 0 {
		mean := float64(n) / max(took.Seconds(), 1)
		p.peaks[name] = float64(busiest) / mean
		fmt.Fprintf(p.out, "  %d refreshes, %.0f a second, %d in the busiest (%.1f times the mean), at most %d at a time\n",
			n, mean, busiest, p.peaks[name], p.server.mostRunning.Load())
	}
	return nil
}

func heapKB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1024
}

// sampleGoroutines watches how many goroutines there are until the function that it returns is called.
func sampleGoroutines() (most func() int) {
	done, result := make(chan struct{}), make(chan int)
	go func() {
		most := 0
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			most = max(most, runtime.NumGoroutine())
			select {
			case <-tick.C:
			case <-done:
				tick.Stop()
				result <- most
				return
			}
		}
	}()
	return func() int { close(done); return <-result }
}
