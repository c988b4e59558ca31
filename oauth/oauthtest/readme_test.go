package oauthtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeRuns runs the README's test as it is printed.
func TestReadmeRuns(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, test, _ := strings.Cut(string(text), "```go\n")
	test, _, _ = strings.Cut(test, "```")
	file := filepath.Join(t.TempDir(), "readme_test.go")
	source := "package readme\n\nimport (\n\t\"testing\"\n\t\"testing/synctest\"\n\t\"time\"\n\n" +
		"\t\"github.com/silentrefresh/silentrefresh\"\n\t\"github.com/silentrefresh/silentrefresh/oauth\"\n" +
		"\t\"github.com/silentrefresh/silentrefresh/oauth/oauthtest\"\n)\n\n" + test
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-v", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestMyProgramStaysLoggedIn") {
		t.Errorf("%v\n%s", err, out)
	}
}
