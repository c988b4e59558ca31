package main

import (
	"strings"
	"testing"
)

// TestKeysOfTheConfigAreSuggested, at every depth, and one that belongs elsewhere is sent there.
func TestKeysOfTheConfigAreSuggested(t *testing.T) {
	for text, want := range map[string]string{
		`"refesh": {"url": "/x", "method": "GET"}`: `refesh: unknown field "refesh"; did you mean "refresh"?`,
		`"acces_token": {}`:                        `did you mean "access_token"?`,
		`"login": {"uri": "s3cret"}`:               `login.uri: unknown field "uri"; did you mean "url"?`,
		`"login": {"first": {"ulr": "/x"}}`:        `login.first.ulr: unknown field "ulr"; did you mean "url"?`,
		`"refreshTokenField": "x"`:                 `unknown field "refreshTokenField"`,
		`"refresh_token_field": "x"`:               `it belongs in login or refresh or logout`,
		`"idle_timeout": "5m"`:                     `it belongs in session`,
		`"oauth": {"isuer": "https://x"}`:          `oauth.isuer: unknown field "isuer"; did you mean "issuer"?`,
		`"colour": 1`:                              `colour: unknown field "colour"`,
		`"baseURL": "https://x"`:                   `did you mean "base_url"?`,
	} {
		_, err := parseConfig([]byte(`{"base_url": "https://api.example.com", ` + text + `}`))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") || strings.Count(err.Error(), "unknown field") != 1 {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	const good = `{"base_url": "https://api.example.com", "BASE_URL": "https://api.example.com", "login": {"fields": {"any": "x"}, "headers": {"X-Any": "y"}}}`
	if _, err := parseConfig([]byte(good)); err != nil {
		t.Errorf("names that are free: %v", err)
	}
}

// TestErrorsAreInTheWordsOfTheTool: nobody here has a Config, or calls Login.
func TestErrorsAreInTheWordsOfTheTool(t *testing.T) {
	for text, want := range map[string]string{
		`list "https://x" in Origins`:               `list "https://x" in origins`,
		"after 30s (Config.Timeout)":                "after 30s (timeout)",
		"Client.Timeout exceeded while reading":     "Client.Timeout exceeded while reading",
		"the session is over: call Login":           "the session is over: log in",
		"a header named X-Timeouts":                 "a header named X-Timeouts",
		"RejectedStatus: 200 is not a client error": "rejected_status: 200 is not a client error",
	} {
		if got := inToolWords(text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
