package oauth_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeCompiles: what is copied from the README is a whole program, or fits into one.
func TestReadmeCompiles(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```\n").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 5 {
		t.Fatalf("%d blocks of code", len(blocks))
	}
	for _, block := range blocks {
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(whole(block[1])), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, block[1])
		}
	}
}

// whole makes a program of code that leaves out what every program has.
func whole(code string) string {
	if strings.HasPrefix(code, "package main") {
		return code
	}
	code, _, _ = strings.Cut(code, "transport := ") // the SDK is not among this module's dependencies
	used := "_ = err"
	for _, name := range []string{"resp", "hc"} {
		if strings.Contains(code, name+",") || strings.Contains(code, name+" :=") {
			used += "; _ = " + name
		}
	}
	return `package main

import (
	"context"
	"net/http"
	"os"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
)

var (
	_ = http.DefaultClient
	_ = os.Getenv
	_ = auth.NewSecret
)

func main() { program(context.Background(), nil) }

func program(ctx context.Context, store silentrefresh.Store) {
` + code + used + "\n}\n"
}
