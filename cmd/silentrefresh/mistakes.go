package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh"
)

// configMistakes are all that can be known at once of a document that first failed with err. They never repeat
// values, which may be secrets.
func configMistakes(document []byte, err error) error {
	if !json.Valid(document) || !isObject(document) {
		return configMistake(document, err)
	}
	c := &config{}
	mistakes := c.take(nil, document)
	if c.BaseURL == "" {
		mistakes = append(mistakes, errNoBaseURL)
	} else if err := c.check(); err != nil {
		mistakes = append(mistakes, err)
	}
	if err := c.Credentials.check(c.OAuth != nil); err != nil {
		mistakes = append(mistakes, err)
	}
	return errors.Join(distinct(mistakes)...)
}

// take reads the members of the object at path one by one, so that each can fail on its own.
func (c *config) take(path []string, object json.RawMessage) (mistakes []error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return []error{configMistake(object, err)}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := append(slices.Clone(path), name)
		if err := unknownKey(path, name); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", strings.Join(at, "."), err))
		} else if value := members[name]; isObject(value) {
			mistakes = append(mistakes, c.take(at, value)...)
		} else if err := c.set(at, value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", strings.Join(at, "."), err))
		}
	}
	if len(members) == 0 && len(path) > 0 {
		if err := c.set(path, object); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", strings.Join(path, "."), err))
		}
	}
	return mistakes
}

// set sets the field at path, as a document with nothing else would.
func (c *config) set(path []string, value json.RawMessage) error {
	for _, name := range slices.Backward(path) {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value = slices.Concat([]byte("{"), key, []byte(":"), value, []byte("}"))
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return configMistake(value, err)
	}
	return nil
}

// check is what the library has to say of c.
func (c *config) check() error {
	cfg, err := c.client()
	if err != nil {
		return err
	}
	client, err := silentrefresh.New(cfg)
	if err != nil {
		return errors.New(plain(err))
	}
	return client.Close()
}

func isObject(value []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) }

// distinct leaves out what says the same as the one before.
func distinct(mistakes []error) []error {
	return slices.CompactFunc(mistakes, func(a, b error) bool { return a.Error() == b.Error() })
}

// configMistake says where in the document a mistake is. It never repeats values, which may be secrets.
func configMistake(document []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(document[:min(int(syntax.Offset), len(document))], []byte("\n"))
		return fmt.Errorf("it is not JSON: line %d: %w", line, err)
	case errors.As(err, &kind):
		return fmt.Errorf("%q is of the wrong type: %s", strings.TrimPrefix(kind.Field, "Settings."), kind.Value)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("it is not JSON: it ends too early")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}
