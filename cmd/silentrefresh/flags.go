package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the values of all flags. Each command takes some of them.
type options struct {
	config, base, session, dir, cacert string
	verbose                            bool

	data, cookieFile, refreshToken string // login; request takes data, too
	method, output                 string // request
	header                         []string
	include                        bool
	minTTL                         time.Duration // token
	format                         string
	replaceAuthorization           bool          // proxy
	json                           bool          // status
	curl                           bool          // learn
	listen, secret                 string        // proxy, testserver
	ttl                            time.Duration // testserver

	typed map[string]string // the flags that stand on the command line, not in the environment
}

// A use is a flag as a command takes it, with what it says of it.
type use struct{ name, about string }

// everywhere are the flags that all commands take.
var everywhere = []use{
	{"config", "read the settings from this JSON `FILE`"},
	{"base", "the server's `URL`, where the usual settings do"},
	{"session", "the session's `NAME` (default: \"default\" where there is one of that name, else the only one)"},
	{"dir", "keep sessions in this `FOLDER` (default: one of the user's configuration folder)"},
	{"cacert", "trust the certificates in this PEM `FILE`, too"},
	{"v", "log to standard error what happens; never a secret"},
}

// define adds the flag u to f.
func (o *options) define(f *flag.FlagSet, u use) {
	switch p := o.of(u.name).(type) {
	case *string:
		f.StringVar(p, u.name, *p, u.about)
	case *bool:
		f.Var((*yesOrNo)(p), u.name, u.about)
	case *time.Duration:
		f.Var((*duration)(p), u.name, u.about)
	case *[]string:
		f.Func(u.name, u.about, func(v string) error { *p = append(*p, v); return nil })
	default:
		panic("no flag " + u.name)
	}
}

// of is the option that a flag sets, nil if there is no such flag.
func (o *options) of(flag string) any {
	return map[string]any{
		"config": &o.config, "base": &o.base, "session": &o.session, "dir": &o.dir, "cacert": &o.cacert, "v": &o.verbose,
		"d": &o.data, "cookie-file": &o.cookieFile, "refresh-token": &o.refreshToken, "X": &o.method, "H": &o.header,
		"i": &o.include, "o": &o.output, "min-ttl": &o.minTTL, "format": &o.format, "json": &o.json, "curl": &o.curl,
		"replace-authorization": &o.replaceAuthorization, "listen": &o.listen, "secret": &o.secret, "ttl": &o.ttl,
	}[flag]
}

// yesOrNo is a flag that is there or not.
type yesOrNo bool

// Set implements flag.Value.
func (y *yesOrNo) Set(text string) error {
	v, err := strconv.ParseBool(text)
	if err != nil {
		return errors.New("write true or false")
	}
	*y = yesOrNo(v)
	return nil
}

// String implements flag.Value.
func (y *yesOrNo) String() string { return strconv.FormatBool(bool(*y)) }

// IsBoolFlag tells the flag package that the name alone means true.
func (*yesOrNo) IsBoolFlag() bool { return true }

// An invocation is a command line, understood.
type invocation struct {
	command *command
	options options
	args    []string
	help    string // to be printed instead
}

// parse reads a command line. Flags may stand before and after the command and its arguments, up to "--"; each may
// also be given as an environment variable.
func parse(args []string, env func(string) string) (*invocation, error) {
	name, rest := takeCommand(args)
	if name == "" || name == "help" {
		return parseHelp(name, rest)
	}
	c := find(name)
	if c == nil {
		return nil, noCommand(name)
	}
	inv := &invocation{command: c, options: c.defaults}
	f := c.flagSet(&inv.options)
	if err := fromEnvironment(f, env); err != nil {
		return nil, err
	}
	var err error
	if inv.args, err = c.parse(f, rest); err == flag.ErrHelp {
		inv.help = c.help()
		return inv, nil
	} else if err != nil {
		return nil, usage(err.Error(), "silentrefresh "+c.name+" -h says what it takes")
	}
	inv.options.typed = map[string]string{}
	f.Visit(func(fl *flag.Flag) { inv.options.typed[fl.Name] = fl.Value.String() })
	if n := len(inv.args); n < c.least || n > c.most && c.most >= 0 {
		return nil, usage(c.name+" takes "+c.takes(), "silentrefresh "+c.name+" -h says more")
	}
	return inv, nil
}

func parseHelp(name string, rest []string) (*invocation, error) {
	if isVersion := func(arg string) bool { return arg == "-version" || arg == "--version" }; slices.ContainsFunc(rest, isVersion) {
		return &invocation{command: find("version")}, nil
	}
	topic, _ := takeCommand(rest)
	switch c := find(topic); {
	case c != nil:
		return &invocation{help: c.help()}, nil
	case topic == "config":
		return &invocation{help: configHelp}, nil
	case topic != "" && topic != "help":
		return nil, noCommand(topic)
	case name == "help" || slices.ContainsFunc(rest, isHelp):
		return &invocation{help: overview()}, nil
	}
	return nil, usage("a command is missing", "silentrefresh -h lists them")
}

func isHelp(arg string) bool { return slices.Contains([]string{"-h", "--h", "-help", "--help"}, arg) }

func noCommand(name string) *failure {
	return usage(fmt.Sprintf("there is no command %q", name), "silentrefresh -h lists them")
}

// takeCommand finds the first argument that is neither a flag nor a flag's value, and returns the others.
func takeCommand(args []string) (name string, rest []string) {
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		if !isFlag(args[i]) {
			return args[i], slices.Concat(args[:i], args[i+1:])
		}
		if name, _, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "="); !hasValue && takesValue(name) {
			i++
		}
	}
	return "", args
}

// takesValue reports whether a flag of any command does.
func takesValue(name string) bool {
	for _, c := range commands() {
		if fl := c.flagSet(new(options)).Lookup(name); fl != nil {
			b, ok := fl.Value.(interface{ IsBoolFlag() bool })
			return !ok || !b.IsBoolFlag()
		}
	}
	return false
}

func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

func (c *command) flagSet(o *options) *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	for _, u := range slices.Concat(c.flags, everywhere) {
		o.define(f, u)
	}
	return f
}

// parse reads flags and arguments in any order, and returns the arguments. What follows "--" is not looked at, nor is
// what follows the first argument where that begins a command line of its own.
func (c *command) parse(f *flag.FlagSet, args []string) (positional []string, err error) {
	if c.runs {
		err := f.Parse(args)
		return f.Args(), err
	}
	var verbatim []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, verbatim = args[:i], args[i+1:]
	}
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return append(positional, verbatim...), nil
		}
		positional, args = append(positional, f.Arg(0)), f.Args()[1:]
	}
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "SILENTREFRESH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func fromEnvironment(f *flag.FlagSet, env func(string) string) (err error) {
	f.VisitAll(func(fl *flag.Flag) {
		v := env(variable(fl.Name))
		if v == "" || err != nil {
			return
		}
		if bad := fl.Value.Set(v); bad != nil {
			err = usage(fmt.Sprintf("%s=%s cannot be read: %v", variable(fl.Name), v, bad), "correct it, or unset it")
		}
	})
	return err
}

// flagTable is the flags of f with what they say of themselves, aligned.
func flagTable(f *flag.FlagSet) string {
	width := 0
	f.VisitAll(func(fl *flag.Flag) {
		value, _ := flag.UnquoteUsage(fl)
		width = max(width, len(fl.Name+" "+value))
	})
	var b strings.Builder
	f.VisitAll(func(fl *flag.Flag) {
		value, about := flag.UnquoteUsage(fl)
		if d := fl.DefValue; d != "" && d != "false" && d != "0s" {
			about += " (default " + d + ")"
		}
		fmt.Fprintf(&b, "  -%-*s  %s\n", width, fl.Name+" "+value, about)
	})
	return b.String()
}
