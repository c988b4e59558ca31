package servers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// A recipe is a config file as docs/SERVERS.md prints it.
type recipe struct {
	endpoint.Settings
	Attach auth.Attach `json:"attach"`
	Ask    []string    `json:"ask"`
	// Credentials is what the tool logs in again with, where there is no refresh: here, with those of the play.
	Credentials *struct {
		Keep bool `json:"keep"`
	} `json:"credentials"`
}

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/SERVERS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// readRecipe finds the recipe under a name in bold type.
func readRecipe(t *testing.T, name string) recipe {
	t.Helper()
	text, err := printed(readPage(t), name)
	if err != nil {
		t.Fatal(err)
	}
	r := recipe{Ask: []string{"email", "password"}}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("the recipe of %s: %v", name, err)
	}
	return r
}

// printed returns the indented block that follows the paragraph which begins with **name**.
func printed(page, name string) (string, error) {
	_, rest, ok := strings.Cut(page, "\n**"+name+"**")
	if !ok {
		return "", fmt.Errorf("docs/SERVERS.md has no recipe of %s", name)
	}
	_, rest, _ = strings.Cut(rest, "\n\n")
	block, _, _ := strings.Cut(rest, "\n\n")
	if !strings.HasPrefix(block, "    {") {
		return "", fmt.Errorf("docs/SERVERS.md has no block of JSON under %s", name)
	}
	return block, nil
}

// config is what a program would set for the server at base.
func (r recipe) config(base string) silentrefresh.Config {
	return silentrefresh.Config{BaseURL: base, Endpoint: r.Settings, Attach: r.Attach}
}

// renews reports whether there is a refresh. Where there is none, the next session begins with another login.
func (r recipe) renews() bool { return r.Refresh.URL != "-" }

// credentials are what the tool would make of the account, asked for the recipe's fields.
func (r recipe) credentials(a account) map[string]string {
	said := map[string]string{}
	for _, field := range r.Ask {
		switch {
		case strings.Contains(field, "password"):
			said[field] = a.password
		case strings.Contains(field, "user"):
			said[field] = a.name
		default:
			said[field] = a.name + "@example.com"
		}
	}
	return said
}

// An account is a person's at a server, whose email address is the name at example.com.
type account struct{ name, password string }
