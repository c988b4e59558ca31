package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// only is the one file that the box has with this ending.
func (b *box) only(kind, ending string) string {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(b.dir, kind, "*"+ending))
	if err != nil || len(found) != 1 {
		b.t.Fatalf("%s are %q, %v", kind, found, err)
	}
	return found[0]
}

// replaced puts text in the place of a file.
func (b *box) replaced(path, text string) {
	b.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestF91_BadSettingsHarmOnlyThemselves: cut short, of wrong types, or what a newer version made of them.
func TestF91_BadSettingsHarmOnlyThemselves(t *testing.T) {
	for what, text := range map[string]string{
		"cut short": `{"session": "default", "config": {"base_u`, "empty": "", "of a wrong type": `{"session": 7}`,
		"newer": `{"session": "default", "config": {"base_url": ["a", "b"]}}`, "garbage": "\x00\x01\x02", "null": "null",
	} {
		t.Run(what, func(t *testing.T) {
			b, s := loggedIn(t, authtest.Config{})
			bad := b.only("settings", ".json")
			other := authtest.NewServer(t, authtest.Config{})
			b.ok("login", "--base", other.URL(), "--session", "work", "-d", credentials)
			b.replaced(bad, text)

			b.ok("--session", "work", "request", "/me")
			b.ok("--base", other.URL(), "request", "/me")
			b.ok("--session", "work", "status")
			b.fails(exitFailed, []string{bad}, "request", "/me") // it may be the one that is meant
			b.fails(exitFailed, []string{bad}, "--session", "default", "request", "/me")
			if b.fails(exitFailed, []string{bad}, "--base", s.URL(), "request", "/me"); s.Counters().API+s.Counters().RefreshCalls > 0 {
				t.Error("the session was used with settings that are not its own")
			}
			if r := b.run("login", "--base", s.URL(), "-d", credentials); r.code != 0 || !strings.Contains(r.err, "set aside") {
				t.Errorf("%+v", r)
			}
			b.ok("request", "/me")
		})
	}
}

// TestF45_ALinkedSessionHasItsSettings, under the name that it has in the folder.
func TestF45_ALinkedSessionHasItsSettings(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	record, elsewhere := b.only("sessions", ".session"), filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(record, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, record); err != nil {
		t.Skip(err)
	}
	b.ok("login", "-d", credentials)
	b.ok("request", "/me")
	b.ok("logout")
	if left, _ := filepath.Glob(filepath.Join(b.dir, "settings", "*")); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// TestF91_SettingsThatOthersCanChangeAreNotBelieved: they say where the credential goes.
func TestF91_SettingsThatOthersCanChangeAreNotBelieved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has ACLs instead")
	}
	b, s := loggedIn(t, authtest.Config{})
	file := b.only("settings", ".json")
	for _, path := range []string{b.dir, filepath.Dir(file), file} {
		if err := os.Chmod(path, 0o777); err != nil { // chmod -R a+rwX
			t.Fatal(err)
		}
	}
	before := s.Counters()
	b.fails(exitFailed, []string{file, "others may have changed it", "let only its owner"}, "request", "/me")
	if s.Counters() != before {
		t.Error("something was sent")
	}
	for _, dir := range []string{b.dir, filepath.Dir(file)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s has %v, %v", dir, info.Mode(), err)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil { // as it says
		t.Fatal(err)
	}
	b.ok("request", "/me")

	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	b.ok("login", "--base", s.URL(), "-d", credentials)
	b.ok("request", "/me")
}

// TestF91_PlantedLinksAreNotFollowed: neither in the place of settings, nor where something is written for a moment.
func TestF91_PlantedLinksAreNotFollowed(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	file := b.only("settings", ".json")
	victim := b.file("victim", "mine")
	for _, link := range []string{filepath.Join(filepath.Dir(file), "room.tmp"), file + ".tmp", file + ".new"} {
		if err := os.Symlink(victim, link); err != nil {
			t.Skip(err)
		}
	}
	b.ok("login", "-d", credentials)
	moved := b.file("moved.json", contents(t, file))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(moved, file); err != nil {
		t.Fatal(err)
	}
	b.fails(exitFailed, []string{file, "a symbolic link"}, "request", "/me")
	was := contents(t, moved)
	b.ok("login", "--base", s.URL(), "-d", credentials)
	b.ok("request", "/me")
	if contents(t, victim) != "mine" || contents(t, moved) != was {
		t.Error("written through a link")
	}
}

// TestF91_WhatANewerVersionKeepsStays, on top and among the settings, when this one writes.
func TestF91_WhatANewerVersionKeepsStays(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	file := b.only("settings", ".json")
	var members map[string]any
	if err := json.Unmarshal([]byte(contents(t, file)), &members); err != nil {
		t.Fatal(err)
	}
	members["colour"] = map[string]any{"of": "the prompt"}
	members["config"].(map[string]any)["refresh_by_pigeon"] = true
	newer, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	b.replaced(file, string(newer))
	if r := b.run("request", "/me"); r.code != 0 || !strings.Contains(r.err, "refresh_by_pigeon") {
		t.Errorf("%+v", r)
	}
	b.ok("login", "-d", credentials)
	if now := contents(t, file); !strings.Contains(now, "the prompt") || !strings.Contains(now, "refresh_by_pigeon") {
		t.Errorf("now\n%s", now)
	}
	b.ok("request", "/me")
}

// TestF93_AnUnreadableSessionIsNoDeadEnd: damaged, or with a key that is gone.
func TestF93_AnUnreadableSessionIsNoDeadEnd(t *testing.T) {
	for what, spoil := range map[string]func(b *box, record string){
		"garbage":  func(b *box, record string) { b.replaced(record, "garbage") },
		"empty":    func(b *box, record string) { b.replaced(record, "") },
		"lost key": func(b *box, _ string) { b.env[filestore.EnvKey] = seal.FormatKey(seal.NewKey()) },
		"no key":   func(b *box, _ string) { delete(b.env, filestore.EnvKey) },
		"a folder": func(b *box, record string) {
			os.Remove(record)
			os.MkdirAll(filepath.Join(record, "full"), 0o700)
		},
	} {
		t.Run(what, func(t *testing.T) {
			b, s := loggedIn(t, authtest.Config{})
			record := b.only("sessions", ".session")
			spoil(b, record)
			b.fails(exitFailed, []string{"why:", "do:"}, "request", "/me")
			b.fails(exitFailed, nil, "login", "-d", `{"email": "nobody"}`)
			if set, _ := filepath.Glob(record + ".aside*"); len(set) != 0 {
				t.Errorf("set aside for a login that failed: %q", set)
			}
			r := b.run("login", "-d", credentials)
			set, _ := filepath.Glob(record + ".aside*")
			if r.code != 0 || len(set) != 1 || !strings.Contains(r.err, set[0]) {
				t.Fatalf("%+v\nset aside: %q", r, set)
			}
			b.ok("request", "/me")

			if what == "a folder" || what == "no key" { // the one is not to be removed, the other not to be lost again
				return
			}
			spoil(b, record)
			calls := s.Counters()
			b.fails(exitFailed, []string{"but not of everything", "could not be read", "list of sessions"}, "logout")
			if s.Counters() != calls {
				t.Error("something was sent")
			}
			b.fails(exitLogin, []string{"nobody is logged in"}, "request", "/me")
			b.ok("login", "--base", s.URL(), "-d", credentials)
			b.ok("logout")
		})
	}
}

// TestF95_TheStoreIsTriedBeforeALogin: with nowhere to keep the session, its key or its settings, no credential is spent.
func TestF95_TheStoreIsTriedBeforeALogin(t *testing.T) {
	for what, path := range map[string]func(folder) string{
		"sessions": folder.sessions,
		"settings": func(f folder) string { return string(f.profiles()) },
		"the key":  func(f folder) string { return filepath.Join(f.sessions(), "sessions.key") },
	} {
		t.Run(what, func(t *testing.T) {
			b := newBox(t)
			s := authtest.NewServer(t, authtest.Config{})
			if what == "the key" {
				delete(b.env, filestore.EnvKey)
			}
			path := path(folder(b.dir))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			b.replaced(path, "in the way")
			r := b.run("login", "--base", s.URL(), "-d", credentials)
			if r.code == 0 || !strings.Contains(r.err, path) || s.Counters().LoginCalls != 0 {
				t.Errorf("%+v\n%+v", r, s.Counters())
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			b.ok("login", "--base", s.URL(), "-d", credentials)
		})
	}
}
