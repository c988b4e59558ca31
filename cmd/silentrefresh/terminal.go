package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/term"
)

// ask asks on the terminal.
func (a *app) ask(ctx context.Context) (map[string]any, error) {
	fields := a.profile.config.asked()
	if !term.IsTerminal(int(a.in.Fd())) {
		return nil, usage("nobody can be asked for "+strings.Join(fields, " and ")+": standard input is not a terminal",
			"give them with -d -, as a JSON object on standard input, or with -d @FILE")
	}
	fmt.Fprintf(a.err, "Login to %s\n", a.profile.label())
	responses := map[string]any{}
	for _, field := range fields {
		response, err := a.askFor(ctx, field)
		if err != nil {
			return nil, err
		}
		a.fillIn(responses, field, response)
	}
	return responses, nil
}

// fillIn sets a field of the login's body. In JSON a dotted name makes nested objects.
func (a *app) fillIn(fields map[string]any, name, value string) {
	for a.profile.config.Login.Encoding != "form" {
		first, rest, nested := strings.Cut(name, ".")
		if !nested || first == "" || rest == "" {
			break
		}
		inner, ok := fields[first].(map[string]any)
		if !ok {
			inner = map[string]any{}
			fields[first] = inner
		}
		fields, name = inner, rest
	}
	fields[name] = value
}

// askFor asks for one field. What looks like a secret is not echoed. An interrupt restores the terminal.
func (a *app) askFor(ctx context.Context, field string) (string, error) {
	return a.askOn(ctx, field, !secret(field))
}

// askOn asks for one line, which is echoed or not.
func (a *app) askOn(ctx context.Context, field string, echoed bool) (string, error) {
	fd := int(a.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	defer a.wait.pause()()
	fmt.Fprintf(a.err, "  %s: ", field)
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	go func() {
		if echoed {
			text, err := readLine(a.in)
			typed <- line{text, err}
			return
		}
		text, err := term.ReadPassword(fd)
		fmt.Fprintln(a.err)
		typed <- line{string(text), err}
	}()
	select {
	case l := <-typed:
		if errors.Is(l.err, io.EOF) {
			if echoed {
				fmt.Fprintln(a.err) // nobody has ended the question's line
			}
			return "", usage("nothing was typed", "")
		} else if l.err != nil {
			return "", usage("nothing was typed: "+plain(l.err), "")
		}
		return l.text, nil
	case <-ctx.Done():
		term.Restore(fd, before)
		fmt.Fprintln(a.err)
		return "", context.Cause(ctx)
	}
}

// harmless are the names of fields that may be seen by whoever looks on, without what separates their words.
var harmless = []string{
	"account", "accountid", "accountname", "clientid", "company", "domain", "email", "emailaddress", "host", "identifier",
	"locale", "login", "loginid", "loginname", "mail", "name", "org", "organisation", "organization", "phone", "phonenumber",
	"realm", "region", "team", "tenant", "tenantid", "user", "useremail", "userid", "username", "workspace",
}

// secret reports whether a field is not for others' eyes: every one is that is not known to be harmless. Of a nested field,
// as in user.email or user[email], the last name counts.
func secret(field string) bool {
	names := strings.FieldsFunc(strings.ToLower(field), func(r rune) bool { return strings.ContainsRune(".[]/:", r) })
	if len(names) == 0 {
		return true
	}
	letters := strings.NewReplacer("_", "", "-", "", " ", "").Replace(names[len(names)-1])
	return !slices.Contains(harmless, letters)
}

// readLine reads a line and nothing beyond it.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := r.Read(b)
		switch {
		case n == 1 && b[0] == '\n', errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSuffix(string(line), "\r"), nil
		case err != nil:
			return "", err
		}
		line = append(line, b[:n]...)
	}
}
