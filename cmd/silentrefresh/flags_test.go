package main

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestHelpEverywhere(t *testing.T) {
	b := newBox(t)
	top := b.ok("-h")
	for _, c := range commands() {
		if !strings.Contains(top, "\n  "+c.name+" ") {
			t.Errorf("the overview lacks %s", c.name)
		}
		for _, args := range [][]string{{c.name, "-h"}, {"-h", c.name}, {"help", c.name}, {c.name, "--help"}} {
			got := b.ok(args...)
			if !strings.HasPrefix(got, "silentrefresh "+c.name+": ") || !strings.Contains(got, "-base URL") {
				t.Errorf("%s printed\n%s", args, got)
			}
			for _, u := range c.flags {
				if !strings.Contains(got, "\n  -"+u.name+" ") {
					t.Errorf("%s lacks -%s", args, u.name)
				}
			}
		}
	}
	if b.ok("help") != top || !strings.Contains(b.ok("help", "config"), `"base_url"`) {
		t.Error("help differs from -h, or there is none for the config file")
	}
}

// TestEveryFlagIsAVariable, which a flag on the command line goes over.
func TestEveryFlagIsAVariable(t *testing.T) {
	values := map[string]string{"min-ttl": "7s", "ttl": "7s", "v": "true", "i": "true", "json": "true", "curl": "true", "replace-authorization": "true"}
	for _, c := range commands() {
		c.flagSet(new(options)).VisitAll(func(f *flag.Flag) {
			want, ok := values[f.Name]
			if !ok {
				want = "text"
			}
			name := "SILENTREFRESH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			env := func(v string) string {
				if v == name {
					return want
				}
				return ""
			}
			inv, err := parse(append([]string{c.name}, arguments(&c)...), env)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if got := value(&c, inv.options, f.Name); got != want {
				t.Errorf("%s: %s=%s gives -%s %q", c.name, name, want, f.Name, got)
			}
		})
	}
}

func arguments(c *command) []string { return make([]string, c.least) }

// value is what the flag is set to.
func value(c *command, o options, name string) string {
	if name == "H" {
		return strings.Join(o.header, "\n")
	}
	f := flag.NewFlagSet("", flag.ContinueOnError)
	for _, u := range append(c.flags, everywhere...) {
		o.define(f, u)
	}
	return f.Lookup(name).Value.String()
}

func TestVariables(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.env["SILENTREFRESH_BASE"] = s.URL()
	b.env["SILENTREFRESH_D"] = credentials
	b.ok("login")
	b.ok("request", "/me", "-d", "")
}

// TestMistakesNameTheirSource: the flag, or the variable.
func TestMistakesNameTheirSource(t *testing.T) {
	b := newBox(t)
	b.fails(exitUsage, []string{`BaseURL "xx"`, "do:  correct -base\n"}, "login", "-base", "xx", "-d", "{}")
	b.fails(exitUsage, []string{"-base cannot be parsed"}, "-base", "http://[", "status")
	b.env["SILENTREFRESH_BASE"] = "xx"
	b.fails(exitUsage, []string{`BaseURL "xx"`, "correct SILENTREFRESH_BASE\n"}, "login", "-d", "{}")
	b.fails(exitUsage, []string{"correct SILENTREFRESH_BASE or -session\n"}, "status", "-session", "a|b")
	b.env["SILENTREFRESH_BASE"] = "http://["
	b.fails(exitUsage, []string{"SILENTREFRESH_BASE cannot be parsed"}, "status")
}

// TestValuesOfFlags: what is wrong is said the same way for a flag and for a variable.
func TestValuesOfFlags(t *testing.T) {
	const spans = "write it as 90s, 15m or 8h"
	for _, c := range []struct{ command, flag, value, want string }{
		{"token", "min-ttl", "5", spans},
		{"token", "min-ttl", "-5s", spans},
		{"token", "min-ttl", "soon", spans},
		{"testserver", "ttl", "-1s", spans},
		{"status", "json", "maybe", "write true or false"},
	} {
		_, err := parse([]string{c.command, "-" + c.flag + "=" + c.value}, func(string) string { return "" })
		if f := asFailure(err); f.code != exitUsage || !strings.Contains(f.what, c.want) || !strings.Contains(f.what, "-"+c.flag) {
			t.Errorf("-%s=%s: %+v", c.flag, c.value, f)
		}
		_, err = parse([]string{c.command}, func(name string) string {
			if name == variable(c.flag) {
				return c.value
			}
			return ""
		})
		if f := asFailure(err); f.code != exitUsage || !strings.Contains(f.what, c.want) || !strings.Contains(f.what, variable(c.flag)) {
			t.Errorf("%s=%s: %+v", variable(c.flag), c.value, f)
		}
	}
}

func TestHelpOnNothing(t *testing.T) {
	b := newBox(t)
	for _, args := range [][]string{{"help", "frob"}, {"-h", "frob"}, {"frob"}, {"help", "-v", "frob"}} {
		b.fails(exitUsage, []string{`there is no command "frob"`, "silentrefresh -h lists them"}, args...)
	}
	b.ok("help", "help")
}

func TestFlagsStandAnywhere(t *testing.T) {
	for _, args := range [][]string{
		{"request", "-X", "PUT", "-base", "u", "/x", "-v"},
		{"-v", "-base", "u", "request", "/x", "-X", "PUT"},
		{"-X", "PUT", "-v=true", "--base=u", "request", "/x"},
		{"-base", "u", "-v", "-X=PUT", "request", "--", "/x"},
		{"-base", "u", "-X", "PUT", "request", "/x", "-v", "--"},
	} {
		inv, err := parse(args, func(string) string { return "" })
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		o := inv.options
		if inv.command.name != "request" || o.method != "PUT" || o.base != "u" || !o.verbose || len(inv.args) != 1 || inv.args[0] != "/x" {
			t.Errorf("%s: %+v %q", args, o, inv.args)
		}
	}
}

// TestExecLeavesItsCommandAlone: what follows the command is not ours.
func TestExecLeavesItsCommandAlone(t *testing.T) {
	for _, args := range [][]string{
		{"exec", "-v", "--", "cmd", "-v", "-X", "--", "-h"},
		{"exec", "-v", "cmd", "-v", "-X", "--", "-h"},
	} {
		inv, err := parse(args, func(string) string { return "" })
		if err != nil || inv.help != "" || !inv.options.verbose {
			t.Fatalf("%s: %+v, %v", args, inv, err)
		}
		if got := strings.Join(inv.args, " "); got != "cmd -v -X -- -h" {
			t.Errorf("%s runs %q", args, got)
		}
	}
}

func TestDefaults(t *testing.T) {
	for args, check := range map[string]func(options) bool{
		"token":                   func(o options) bool { return o.minTTL == time.Minute },
		"proxy":                   func(o options) bool { return o.listen == "127.0.0.1:8090" },
		"testserver":              func(o options) bool { return o.ttl == 5*time.Second },
		"proxy -listen [::1]:1":   func(o options) bool { return o.listen == "[::1]:1" },
		"testserver -ttl 1m":      func(o options) bool { return o.ttl == time.Minute },
		"-session a -d - login":   func(o options) bool { return o.session == "a" && o.data == "-" },
		"status -dir x -cacert y": func(o options) bool { return o.dir == "x" && o.cacert == "y" },
	} {
		inv, err := parse(strings.Fields(args), func(string) string { return "" })
		if err != nil || !check(inv.options) {
			t.Errorf("%s: %+v, %v", args, inv, err)
		}
	}
}

// TestHintsCanBeTyped: what is suggested is what was typed, fit for a shell.
func TestHintsCanBeTyped(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	dir := t.TempDir() + "/a b"
	delete(b.env, "SILENTREFRESH_DIR")
	r := b.run("login", "-base", s.URL(), "-dir", dir, "-session", "o'neil", "-d", credentials)
	if want := `Next: silentrefresh request -session 'o'\''neil' -dir '` + dir + `' /me`; !strings.Contains(r.out, want) {
		t.Errorf("want %s in\n%s%s", want, r.out, r.err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
