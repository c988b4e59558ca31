package sim

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// workerEnv makes this program a worker.
const workerEnv = "SIMULATION_WORKER"

// Worker is what Campaign.Worker says, if this process is to be a worker, and "" if it is not.
func Worker() string { return os.Getenv(workerEnv) }

// A worker is a process that runs jobs. It is started when there is one, and again when it has ended.
type worker struct {
	as     string // what the process is told to be; "": a worker like any other
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr *bytes.Buffer
}

// start starts the process: this very program.
func (w *worker) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.cmd = exec.Command(self)
	w.cmd.Env = append(os.Environ(), workerEnv+"="+cmp.Or(w.as, "1"))
	w.stderr = &bytes.Buffer{}
	w.cmd.Stderr = w.stderr
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	w.out = bufio.NewScanner(out)
	w.out.Buffer(nil, 64<<20)
	return w.cmd.Start()
}

// do runs a job. A worker that ends over it has found a violation.
func (w *worker) do(j job) (verdict, error) {
	if w.cmd == nil {
		if err := w.start(); err != nil {
			return verdict{}, fmt.Errorf("start a worker: %w", err)
		}
	}
	b, err := json.Marshal(j)
	if err != nil {
		return verdict{}, err
	}
	w.in.Write(append(b, '\n')) // if that fails, the worker has ended
	for w.out.Scan() {
		if line, ok := strings.CutPrefix(w.out.Text(), verdictPrefix); ok {
			var v verdict
			return v, json.Unmarshal([]byte(line), &v)
		}
	}
	return w.obituary(j), nil
}

// obituary is the verdict on a job over which the worker has ended.
func (w *worker) obituary(j job) verdict {
	w.in.Close()
	w.cmd.Wait()
	said := w.stderr.String()
	v := violation{Invariant: dies, Text: lastWords(said)}
	if w.cmd.ProcessState.ExitCode() == exitStalled {
		v.Invariant, v.Text = stalls, "virtual time stands still; "+spinning(said)
	}
	w.cmd = nil
	if slices.Contains(j.Pass, v.Invariant) {
		return verdict{Seed: j.Seed}
	}
	facts, _, _ := strings.Cut(said, "\ngoroutine ")
	lines := strings.Split(strings.TrimSpace(facts), "\n")
	return verdict{Seed: j.Seed, Steps: len(j.plan().steps), Violations: []violation{v}, Tail: lines[max(0, len(lines)-tailLength):]}
}

// lastWords is the line by which a process says why it ends.
func lastWords(said string) string {
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return strings.TrimSpace(line)
		}
	}
	return "the process ended: " + said[:min(len(said), 300)]
}

// spinning is the functions of the engine in which goroutines are that run or wait for a mutex.
func spinning(dump string) string {
	const engine = "github.com/silentrefresh/silentrefresh."
	var where []string
	for block := range strings.SplitSeq(dump, "\n\n") {
		head, frames, _ := strings.Cut(block, "\n")
		if !strings.Contains(head, "Mutex") && !strings.Contains(head, "runnable") && !strings.Contains(head, "running") {
			continue
		}
		for frame := range strings.Lines(frames) {
			if name, ok := strings.CutPrefix(frame, engine); ok {
				where = append(where, name[:strings.LastIndex(name, "(")])
				break
			}
		}
	}
	slices.Sort(where)
	return "at " + strings.Join(slices.Compact(where), ", ")
}

// close ends the worker.
func (w *worker) close() {
	if w.cmd != nil {
		w.in.Close()
		w.cmd.Wait()
	}
}
