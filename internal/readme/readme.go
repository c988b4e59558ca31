// Package readme helps tests that pages' code is what it is said to be.
package readme

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var block = regexp.MustCompile("(?s)```go\n(.*?)```\n")

// Blocks are the blocks of Go in a page, in order.
func Blocks(t testing.TB, page string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range block.FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

// RunTest runs the first block of a page, which is the test name, as it is printed. imports are of what it uses.
func RunTest(t testing.TB, page, name string, imports ...string) {
	t.Helper()
	var source strings.Builder
	source.WriteString("package readme\n\nimport (\n")
	for _, path := range imports {
		fmt.Fprintf(&source, "\t%q\n", path)
	}
	source.WriteString(")\n\n" + Blocks(t, page)[0])
	file := filepath.Join(t.TempDir(), "readme_test.go")
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-v", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
		t.Errorf("%v\n%s", err, out)
	}
}
