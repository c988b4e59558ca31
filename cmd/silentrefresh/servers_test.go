package main

import (
	"os"
	"strings"
	"testing"
)

// TestServersDocument: every setting that docs/SERVERS.md shows is one that the tool takes.
func TestServersDocument(t *testing.T) {
	document, err := os.ReadFile("../../docs/SERVERS.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, block := range strings.Split(string(document), "\n\n") {
		settings, ok := strings.CutPrefix(block, "    {")
		if !ok {
			continue
		}
		shown++
		c, err := parseConfig([]byte(`{"base_url": "https://api.example.com", ` + settings))
		if err == nil {
			err = c.check()
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
	}
	if shown < 15 {
		t.Errorf("only %d settings", shown)
	}
}
