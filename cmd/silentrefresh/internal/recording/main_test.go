package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplace: nothing but the recording changes, and a file without a place for it is left as it is.
func TestReplace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	for before, want := range map[string]string{
		"a\n" + begin + "old\n" + end + "b\n": "a\n" + begin + "```text\nnew\n```\n" + end + "b\n",
		"a\n" + begin + "no end\n":            "",
		"none\n":                              "",
	} {
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		err := replace(file, "new\n\n")
		after, readErr := os.ReadFile(file)
		switch {
		case readErr != nil:
			t.Fatal(readErr)
		case want == "" && (err == nil || string(after) != before):
			t.Errorf("%q became %q: %v", before, after, err)
		case want != "" && (err != nil || string(after) != want):
			t.Errorf("%q became %q: %v", before, after, err)
		}
	}
}

// TestTheREADMEHasARecording of what the tool is for.
func TestTheREADMEHasARecording(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), begin)
	recording, _, _ := strings.Cut(rest, end)
	for _, want := range []string{"$ silentrefresh login ", "$ silentrefresh watch", "retrying  503", "◆ another process", "$ silentrefresh status", "\nwork "} {
		if !strings.Contains(recording, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for line := range strings.Lines(recording) {
		if n := len([]rune(line)); n > 81 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
