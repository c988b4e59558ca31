package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A credentialSource says where the credentials come from that log in again without a person, for servers that have no
// refresh: from a command, or from beside the session.
type credentialSource struct {
	// Command prints a password on a line, or credentials as a JSON object. No shell reads it: the first entry is the
	// program, the others are its arguments.
	Command []string `json:"command"`
	// Fields are the credentials that the command does not print: a name beside its password.
	Fields map[string]string `json:"fields"`
	// Keep keeps the credentials of the login beside the session, sealed as that is.
	Keep bool `json:"keep"`
}

// What a command may take, and print.
const (
	commandTime   = time.Minute
	commandOutput = 64 << 10
)

// check reports every mistake in s. A nil s has none.
func (s *credentialSource) check(oauth bool) error {
	if s == nil {
		return nil
	}
	var mistakes []error
	wrong := func(text string) { mistakes = append(mistakes, errors.New(text)) }
	switch {
	case oauth:
		wrong("credentials: the identity provider logs in; leave them out")
	case s.Keep && len(s.Command) > 0:
		wrong("credentials: command and keep exclude each other; leave one of the two out")
	case !s.Keep && len(s.Command) == 0:
		wrong(`credentials: nothing says where they are; set command, such as ["pass", "show", "x"], or keep`)
	}
	if len(s.Command) > 0 && s.Command[0] == "" {
		wrong("credentials.command: the first entry is empty; name a program")
	}
	if s.Keep && len(s.Fields) > 0 {
		wrong("credentials.fields: they are for a command; leave them out")
	}
	return errors.Join(mistakes...)
}

// run runs the command. Its standard error is shown; what it prints is a secret, and never is.
func (s *credentialSource) run(ctx context.Context, stderr io.Writer, ask []string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	name := s.Command[0]
	out := &bounded{left: commandOutput}
	cmd := exec.CommandContext(ctx, name, s.Command[1:]...)
	cmd.Stdout, cmd.Stderr = out, stderr
	cmd.WaitDelay = time.Second // for children that hold the output open
	err := cmd.Run()
	exit, ran := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the command %s did not end in time", name)
	case out.left < 0:
		return nil, fmt.Errorf("the command %s printed more than 64 KiB", name)
	case ran:
		return nil, fmt.Errorf("the command %s failed: %v", name, exit)
	case err != nil:
		return nil, fmt.Errorf("the command %s did not run: %v", name, plainExec(err))
	}
	return s.read(out.text.Bytes(), ask)
}

// plainExec is err without the words that the message around it has.
func plainExec(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	return err
}

// read makes credentials of what the command printed.
func (s *credentialSource) read(printed []byte, ask []string) (map[string]any, error) {
	given := map[string]any{}
	for name, value := range s.Fields {
		given[name] = value
	}
	printed = bytes.TrimSpace(printed)
	var object map[string]any
	if json.Unmarshal(printed, &object) == nil && object != nil {
		maps.Copy(given, object)
		return given, nil
	}
	line, _, _ := strings.Cut(string(printed), "\n")
	password := strings.TrimRight(line, "\r")
	missing := slices.DeleteFunc(slices.Clone(ask), func(name string) bool { return given[name] != nil })
	switch {
	case password == "":
		return nil, fmt.Errorf("the command %s printed nothing", s.Command[0])
	case len(missing) != 1:
		return nil, fmt.Errorf("the command %s printed one line, and the login wants %s: put all but one into credentials.fields, "+
			"or print a JSON object", s.Command[0], strings.Join(ask, " and "))
	}
	given[missing[0]] = password
	return given, nil
}

// A bounded buffer takes so much and no more; left is then negative. It embeds nothing: io.Copy would go past Write.
type bounded struct {
	text bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}

// asked are the fields that a login asks for.
func (c *config) asked() []string {
	if c.Ask == nil {
		return []string{"email", "password"}
	}
	return c.Ask
}
