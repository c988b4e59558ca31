package main

import (
	"cmp"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestHelpEverywhere(t *testing.T) {
	b := newBox(t)
	top := b.ok("-h")
	for _, c := range new(app).root().Commands() {
		name := c.Name()
		if !strings.Contains(top, "\n  "+name+" ") {
			t.Errorf("the overview lacks %s", name)
		}
		if !c.Runnable() {
			continue
		}
		got := b.ok(name, "--help")
		about, _, _ := strings.Cut(filled(cmp.Or(c.Long, c.Short+"."), columns), "\n")
		if !strings.HasPrefix(got, about+"\n") || !strings.Contains(got, "--base URL") {
			t.Errorf("%s --help printed\n%s", name, got)
		}
		for _, args := range [][]string{{name, "-h"}, {"-h", name}, {"help", name}} {
			if b.ok(args...) != got {
				t.Errorf("%s differs from --help", args)
			}
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(got, "--"+f.Name+" ") {
				t.Errorf("%s --help lacks --%s", name, f.Name)
			}
		})
	}
	if b.ok("help") != top || !strings.Contains(b.ok("help", "config"), `"base_url"`) {
		t.Error("help differs from -h, or there is none for the config file")
	}
}

// TestHelpFits a terminal of 80 columns, but for what is shown as it has to be typed.
func TestHelpFits(t *testing.T) {
	b := newBox(t)
	for _, c := range new(app).root().Commands() {
		for _, line := range strings.Split(b.ok("help", c.Name()), "\n") {
			if utf8.RuneCountInString(line) > columns {
				t.Errorf("%s: %s", c.Name(), line)
			}
		}
	}
}

// TestEveryFlagIsAVariable, which a flag on the command line goes over.
func TestEveryFlagIsAVariable(t *testing.T) {
	for _, c := range new(app).root().Commands() {
		if !c.Runnable() || c.Name() == "help" {
			continue
		}
		eachFlag(c.Name(), func(c *cobra.Command, f *pflag.Flag) {
			want := map[string]string{"bool": "true", "duration": "7s"}[f.Value.Type()]
			want = cmp.Or(want, "text")
			name := variableOf(c, f)
			a := &app{stdio: stdio{env: func(v string) string { return map[string]string{name: want}[v] }}}
			_, set := parsed(t, a, append([]string{c.Name()}, arguments(c.Name())...)...)
			if got := strings.Trim(set.Flags().Lookup(f.Name).Value.String(), "[]"); got != want {
				t.Errorf("%s: %s=%s gives --%s %q", c.Name(), name, want, f.Name, got)
			}
		})
	}
}

// eachFlag calls do with the flags of the command of that name.
func eachFlag(name string, do func(*cobra.Command, *pflag.Flag)) {
	c, _, _ := new(app).root().Find([]string{name})
	c.InheritedFlags()
	c.Flags().VisitAll(func(f *pflag.Flag) { do(c, f) })
}

func arguments(name string) []string {
	return map[string][]string{"request": {"/"}, "exec": {"true"}, "man": {"folder"}}[name]
}

// parsed reads a command line without running the command.
func parsed(t *testing.T, a *app, args ...string) ([]string, *cobra.Command) {
	t.Helper()
	if a.env == nil {
		a.env = func(string) string { return "" }
	}
	root := a.root()
	var reached *cobra.Command
	var positional []string
	for _, c := range root.Commands() {
		c.RunE = func(c *cobra.Command, args []string) error {
			reached, positional = c, args
			return nil
		}
	}
	if err := execute(t.Context(), root, args); err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return positional, reached
}

// failing reads a command line that has a mistake.
func failing(t *testing.T, env func(string) string, args ...string) *failure {
	t.Helper()
	a := &app{stdio: stdio{env: env, out: io.Discard, err: io.Discard}}
	err := execute(t.Context(), a.root(), args)
	if err == nil {
		t.Fatalf("%s: no mistake was found", args)
	}
	return asFailure(err)
}

func nothing(string) string { return "" }

// TestF101_VariablesStayWithTheirCommand: the credentials of a login are no request's body.
func TestF101_VariablesStayWithTheirCommand(t *testing.T) {
	owners := map[string]string{} // of variables
	for _, c := range new(app).root().Commands() {
		eachFlag(c.Name(), func(c *cobra.Command, f *pflag.Flag) {
			if f.Name == secretFlag || c.InheritedFlags().Lookup(f.Name) != nil {
				return
			}
			name := variableOf(c, f)
			if other, taken := owners[name]; taken {
				t.Errorf("%s is for %s and for %s", name, other, c.Name())
			}
			owners[name] = c.Name()
		})
	}
	b, s := loggedIn(t, authtest.Config{})
	for _, v := range []string{"SILENTREFRESH_D", "SILENTREFRESH_DATA", "SILENTREFRESH_LOGIN_DATA"} {
		b.env[v] = credentials
	}
	if got := b.ok("request", "/echo"); strings.Contains(got, authtest.DefaultPassword) || !strings.Contains(got, `"GET"`) {
		t.Errorf("the request was\n%s", got)
	}
	s.EndSessions()
	b.ok("login")
}

func TestVariables(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.env["SILENTREFRESH_BASE"] = s.URL()
	b.env["SILENTREFRESH_LOGIN_DATA"] = credentials
	b.ok("login")
	b.ok("request", "/me")
}

// TestMistakesNameTheirSource: the flag, or the variable.
func TestMistakesNameTheirSource(t *testing.T) {
	b := newBox(t)
	b.fails(exitUsage, []string{`base_url "xx"`, "do:  correct --base\n"}, "login", "--base", "xx", "-d", "{}")
	b.fails(exitUsage, []string{"--base cannot be parsed"}, "--base", "http://[", "status")
	b.env["SILENTREFRESH_BASE"] = "xx"
	b.fails(exitUsage, []string{`base_url "xx"`, "correct SILENTREFRESH_BASE\n"}, "login", "-d", "{}")
	b.fails(exitUsage, []string{"correct SILENTREFRESH_BASE or --session\n"}, "status", "--session", "a|b")
	b.env["SILENTREFRESH_BASE"] = "http://["
	b.fails(exitUsage, []string{"SILENTREFRESH_BASE cannot be parsed"}, "status")
}

// TestValuesOfFlags: what is wrong is said the same way for a flag and for a variable.
func TestValuesOfFlags(t *testing.T) {
	const spans = "write it as 90s, 15m or 8h"
	for _, c := range []struct{ command, flag, variable, value, want string }{
		{"token", "--min-ttl", "SILENTREFRESH_TOKEN_MIN_TTL", "5", spans},
		{"token", "--min-ttl", "SILENTREFRESH_TOKEN_MIN_TTL", "-5s", spans},
		{"token", "--min-ttl", "SILENTREFRESH_TOKEN_MIN_TTL", "soon", spans},
		{"testserver", "--ttl", "SILENTREFRESH_TESTSERVER_TTL", "-1s", spans},
		{"status", "--json", "SILENTREFRESH_STATUS_JSON", "maybe", "write true or false"},
	} {
		f := failing(t, nothing, c.command, c.flag+"="+c.value)
		if f.code != exitUsage || !strings.Contains(f.what, c.want) || !strings.Contains(f.what, c.flag) {
			t.Errorf("%s=%s: %+v", c.flag, c.value, f)
		}
		f = failing(t, func(name string) string { return map[string]string{c.variable: c.value}[name] }, c.command)
		if f.code != exitUsage || !strings.Contains(f.what, c.want) || !strings.Contains(f.what, c.variable) {
			t.Errorf("%s=%s: %+v", c.variable, c.value, f)
		}
	}
}

func TestHelpOnNothing(t *testing.T) {
	b := newBox(t)
	for _, args := range [][]string{{"help", "frob"}, {"-h", "frob"}, {"frob"}, {"help", "-v", "frob"}, {"--base", "u", "frob"}} {
		b.fails(exitUsage, []string{`there is no command "frob"`, "silentrefresh --help lists them"}, args...)
	}
	b.ok("help", "help")
}

// TestNearest: what is not there names what is.
func TestNearest(t *testing.T) {
	for args, want := range map[string]string{
		"lgoin":                    "did you mean login?",
		"help stauts":              "did you mean status?",
		"status --bsae u":          "did you mean --base?",
		"--bsae u status":          "did you mean --base?",
		"request --haeder x /me":   "did you mean --header?",
		"token --minttl=5s":        "did you mean --min-ttl?",
		"-base u status":           "write --base",
		"status -base=u":           "write --base",
		"login -dir x":             "write --dir", // and not --data ir
		"request -session=a /me":   "write --session",
		"exec -secret x cmd -base": "write --secret",
	} {
		if f := failing(t, nothing, strings.Fields(args)...); f.code != exitUsage || f.do != want {
			t.Errorf("%s: %+v", args, f)
		}
	}
}

func TestFlagsStandAnywhere(t *testing.T) {
	for _, args := range [][]string{
		{"request", "-X", "PUT", "--base", "u", "/x", "-v"},
		{"-v", "--base", "u", "request", "/x", "-X", "PUT"},
		{"--verbose=true", "--base=u", "request", "/x", "-XPUT"},
		{"--base", "u", "-v", "request", "--request=PUT", "--", "/x"},
		{"--base", "u", "request", "-X", "PUT", "/x", "-v", "--"},
	} {
		a := new(app)
		rest, c := parsed(t, a, args...)
		o := a.options
		if c.Name() != "request" || o.request.method != "PUT" || o.base != "u" || !o.verbose || len(rest) != 1 || rest[0] != "/x" {
			t.Errorf("%s: %+v %q", args, o, rest)
		}
	}
}

// TestExecLeavesItsCommandAlone: what follows the command is not ours.
func TestExecLeavesItsCommandAlone(t *testing.T) {
	for _, args := range [][]string{
		{"exec", "-v", "--", "cmd", "-v", "-X", "-base", "--", "-h"},
		{"exec", "-v", "cmd", "-v", "-X", "-base", "--", "-h"},
	} {
		a := new(app)
		rest, _ := parsed(t, a, args...)
		if got := strings.Join(rest, " "); got != "cmd -v -X -base -- -h" || !a.options.verbose {
			t.Errorf("%s runs %q", args, got)
		}
	}
}

func TestDefaults(t *testing.T) {
	for args, check := range map[string]func(options) bool{
		"token":                     func(o options) bool { return o.minTTL == time.Minute && o.format == "text" },
		"proxy":                     func(o options) bool { return o.listen == "127.0.0.1:8090" },
		"testserver":                func(o options) bool { return o.ttl == 5*time.Second && o.testListen == "127.0.0.1:8080" },
		"proxy --listen [::1]:1":    func(o options) bool { return o.listen == "[::1]:1" },
		"testserver --ttl 1m":       func(o options) bool { return o.ttl == time.Minute },
		"--session a login -d -":    func(o options) bool { return o.session == "a" && o.data == "-" },
		"status --dir x --cacert y": func(o options) bool { return o.dir == "x" && o.cacert == "y" },
	} {
		a := new(app)
		if parsed(t, a, strings.Fields(args)...); !check(a.options) {
			t.Errorf("%s: %+v", args, a.options)
		}
	}
}

// TestHintsCanBeTyped: what is suggested is what was typed, fit for a shell.
func TestHintsCanBeTyped(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	dir := t.TempDir() + "/a b"
	delete(b.env, "SILENTREFRESH_DIR")
	b.ok("login", "--base", s.URL(), "--dir", dir, "-d", credentials)
	r := b.run("login", "--base", s.URL(), "--dir", dir, "--session", "o'neil", "-d", credentials)
	if want := `Next: silentrefresh request --session 'o'\''neil' --dir '` + dir + `' /me`; !strings.Contains(r.out, want) {
		t.Errorf("want %s in\n%s%s", want, r.out, r.err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
