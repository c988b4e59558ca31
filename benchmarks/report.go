package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine says on what kind of machine this runs and when: never a host's name or a path.
func machine() string {
	return fmt.Sprintf("%d cores, %s, %s, %s/%s, %s", runtime.NumCPU(), cpuModel(), runtime.Version(),
		runtime.GOOS, runtime.GOARCH, time.Now().UTC().Format(time.DateOnly))
}

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}

// writeSection replaces what stands in file between <!-- begin:name --> and <!-- end:name -->.
func writeSection(file, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	next, err := replaceSection(old, name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, next, 0o644)
}

func replaceSection(old []byte, name, text string) ([]byte, error) {
	begin, end := fmt.Appendf(nil, "<!-- begin:%s -->\n", name), fmt.Appendf(nil, "<!-- end:%s -->", name)
	head, rest, ok := bytes.Cut(old, begin)
	if !ok {
		return nil, fmt.Errorf("no place for the results of %q: it has no line %q", name, bytes.TrimSpace(begin))
	}
	_, tail, ok := bytes.Cut(rest, end)
	if !ok {
		return nil, fmt.Errorf("no end of the results of %q: it has no line %q", name, end)
	}
	return bytes.Join([][]byte{head, begin, []byte(text), []byte("\n"), end, tail}, nil), nil
}
