package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestParseKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb, 0xff}, 16) // has both characters in which the alphabets differ
	for _, text := range []string{
		FormatKey(key),
		FormatKey(key) + "\n",
		"  " + hex.EncodeToString(key) + "\r\n",
		strings.ToUpper(hex.EncodeToString(key)),
		base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key),
		base64.RawURLEncoding.EncodeToString(key),
	} {
		if got, err := ParseKey(text); err != nil || !bytes.Equal(got, key) {
			t.Errorf("ParseKey(%q) = %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "hunter2", "correct horse battery staple", FormatKey(key[:31]), FormatKey(append(key, 1)),
		hex.EncodeToString(key[:16]), hex.EncodeToString(key) + "0", FormatKey(key) + "!"} {
		got, err := ParseKey(text)
		if err == nil {
			t.Errorf("ParseKey(%q) = %x, want an error", text, got)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func TestKeyEnv(t *testing.T) {
	k := KeyEnv("SEAL_TEST_KEY")
	t.Setenv("SEAL_TEST_KEY", "")
	_, err := k.Get(t.Context(), true)
	if !errors.Is(err, ErrUnavailable) || err.Error() != "environment variable SEAL_TEST_KEY is not set" {
		t.Errorf("not set: %v, want ErrUnavailable and the variable's name", err)
	}
	t.Setenv("SEAL_TEST_KEY", "hunter2")
	_, err = k.Get(t.Context(), true)
	if err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("malformed: %v, want an error that is not ErrUnavailable", err)
	} else if text := err.Error(); !strings.Contains(text, "SEAL_TEST_KEY") || strings.Contains(text, "hunter2") {
		t.Errorf("malformed: %q, want the variable's name and not its value", text)
	}
	key := NewKey()
	t.Setenv("SEAL_TEST_KEY", FormatKey(key))
	if got, err := k.Get(t.Context(), false); err != nil || !bytes.Equal(got, key) {
		t.Errorf("set: %x, %v", got, err)
	}
}

func TestNewKeysDiffer(t *testing.T) {
	if bytes.Equal(NewKey(), NewKey()) {
		t.Error("two new keys are the same")
	}
}
