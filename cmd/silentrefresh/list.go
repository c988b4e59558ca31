package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// A listed session is what list says of it.
type listed struct {
	Session string `json:"session"`
	BaseURL string `json:"base_url"`
}

// list prints the sessions that are stored.
func list(_ context.Context, a *app) error {
	all, unread, err := a.profiles()
	if err != nil {
		return err
	}
	sessions := []listed{}
	for _, p := range all {
		sessions = append(sessions, listed{p.Session, p.config.BaseURL})
	}
	if a.options.json {
		return cmp.Or(a.printJSON(sessions), unread)
	}
	for _, s := range sessions {
		fmt.Fprintf(a.out, "%s\t%s\n", s.Session, s.BaseURL)
	}
	return unread
}

func (a *app) printJSON(v any) error {
	document, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", document)
	return err
}
