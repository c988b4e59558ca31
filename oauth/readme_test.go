package oauth_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/readme"
)

// TestReadmeCompiles: what is copied from the README is a whole program, or fits into one.
func TestReadmeCompiles(t *testing.T) {
	blocks := readme.Blocks(t, "README.md")
	if len(blocks) != 5 {
		t.Fatalf("%d blocks of code", len(blocks))
	}
	for _, block := range blocks {
		compiles(t, block)
	}
}

// TestMovingFromXOAuth2Compiles: so is what the page about moving has under "After".
func TestMovingFromXOAuth2Compiles(t *testing.T) {
	after := slices.DeleteFunc(readme.Blocks(t, "../docs/FROM-XOAUTH2.md"), func(block string) bool { return !strings.Contains(block, "oauth.New(") })
	if len(after) != 3 {
		t.Fatalf("%d blocks of code", len(after))
	}
	for _, block := range after {
		compiles(t, block)
	}
}

func compiles(t *testing.T, block string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(whole(block)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, block)
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
	"errors"
	"net/http"
	"os"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
	"golang.org/x/oauth2/github"
)

var (
	_ = http.DefaultClient
	_ = os.Getenv
	_ = errors.Is
	_ = auth.NewSecret
	_ = filestore.Unreadable
	_ = github.Endpoint

	issuer, secret string
)

func main() { program(context.Background(), nil) }

func program(ctx context.Context, store silentrefresh.Store) {
` + code + used + "\n}\n"
}
