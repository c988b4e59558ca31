package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// choose finds out which session the command is about: the one that the flags name, else "default", else the only one.
func (a *app) choose() error {
	dir, err := a.folder()
	if err != nil {
		return err
	}
	all, unread := dir.profiles().list()
	if a.options.config != "" {
		return a.chooseConfig()
	}
	base, err := url.Parse(a.options.base)
	if err != nil {
		return usage(a.given("base")+" cannot be parsed", "write it as https://api.example.com")
	}
	fit := usual(matching(all, a.options.session, base))
	switch {
	case len(fit) == 1 && (unread == nil || a.named() || fit[0].Session == "default"):
		a.profile = fit[0]
		if a.profile.remark != nil {
			a.remark(fmt.Errorf("the settings of %s are of a newer version of this program: %w", a.profile.label(), a.profile.remark))
		}
		return a.overrule()
	case len(fit) > 1:
		return ambiguous(fit)
	case a.options.base != "":
		return a.chooseBase()
	case unread != nil:
		return a.unread(unread, all)
	}
	return a.nothing(all)
}

// named reports whether a flag says which session is meant.
func (a *app) named() bool { return a.options.session != "" || a.options.base != "" }

// unread is the failure to find a session where the settings of some can't be read: it may be one of those.
func (a *app) unread(why error, all []*profile) error {
	f := a.failed("the stored settings were not read", why)
	f.do = "log in again, with --base URL or --config FILE: that writes them anew"
	if len(all) > 0 {
		f.do += "; or " + choices(all)
	}
	return f
}

// profiles are those of all sessions that are stored. Beside those that can be read there may be others: unread says why
// they are missing.
func (a *app) profiles() (all []*profile, unread, err error) {
	dir, err := a.folder()
	if err != nil {
		return nil, nil, err
	}
	all, why := dir.profiles().list()
	if why != nil {
		unread = a.unread(why, nil)
	}
	return all, unread, nil
}

// matching are those of all that session and base name; "" and an empty URL name any.
func matching(all []*profile, session string, base *url.URL) (fit []*profile) {
	for _, p := range all {
		if (session == "" || p.Session == session) && (*base == (url.URL{}) || p.at(base)) {
			fit = append(fit, p)
		}
	}
	return fit
}

// usual is the one of fit that is called "default", or fit where not exactly one is.
func usual(fit []*profile) []*profile {
	if defaults := matching(fit, "default", &url.URL{}); len(defaults) == 1 {
		return defaults
	}
	return fit
}

// chooseConfig is choose for --config.
func (a *app) chooseConfig() error {
	document, err := readConfig(a.options.config)
	if err != nil {
		return err
	}
	if a.profile, err = newProfile(a.options.session, document, ""); err != nil {
		return usage("the config file has a mistake: "+plain(err), "correct it")
	}
	if a.options.base != "" {
		return usage(a.given("config")+" and "+a.given("base")+" are both given", "leave one of the two out: the config file has base_url")
	}
	return a.overrule()
}

// chooseBase is choose for --base where nothing is stored for it.
func (a *app) chooseBase() error {
	document, err := json.Marshal(map[string]string{"base_url": a.options.base})
	if err != nil {
		return err
	}
	if a.profile, err = newProfile(a.options.session, document, ""); err != nil {
		return usage(a.given("base")+": "+plain(err), "write it as https://api.example.com")
	}
	return a.overrule()
}

// overrule lets flags go over what is stored.
func (a *app) overrule() (err error) {
	if a.options.cacert != "" {
		a.profile.CACert, err = filepath.Abs(a.options.cacert)
	}
	return err
}

// nothing is the failure to find a session among all.
func (a *app) nothing(all []*profile) error {
	if a.options.session != "" && len(all) > 0 {
		base := all[0].config.BaseURL
		if slices.ContainsFunc(all, func(p *profile) bool { return p.config.BaseURL != base }) {
			base = "URL"
		}
		do := fmt.Sprintf("%s\nor begin it: silentrefresh login --base %s --session %s", choices(all), base, quoted(a.options.session))
		return &failure{what: fmt.Sprintf("there is no session %q", a.options.session), do: do, code: exitLogin}
	}
	return &failure{what: "nobody is logged in", do: "silentrefresh login --base URL", code: exitLogin}
}

// ambiguous is the failure to choose among fit.
func ambiguous(fit []*profile) *failure {
	return &failure{what: fmt.Sprintf("there are %d sessions", len(fit)), do: choices(fit), code: exitUsage}
}

// choices lists what to type for each of all.
func choices(all []*profile) string {
	lines := []string{"say which one, with --session or --base; there are:"}
	for _, p := range all {
		lines = append(lines, fmt.Sprintf("--base %s --session %s", p.config.BaseURL, quoted(p.Session)))
	}
	return strings.Join(lines, "\n")
}

// loginCommand is what to type to log in to the chosen session.
func (a *app) loginCommand() string {
	switch p := a.profile; {
	case p == nil || a.options.config != "":
		return a.hint("login", "config", "base", "session", "dir")
	case p.kept:
		return a.next("login")
	case a.options.base == "":
		return a.hint("login", "session", "dir") + " --base " + quoted(p.config.BaseURL)
	}
	return a.hint("login", "base", "session", "dir")
}

// next is a command to type that is about the chosen session, with the flags that it needs for that.
func (a *app) next(command string) string {
	words := append([]string{"silentrefresh", command}, a.naming()...)
	if dir, ok := a.options.typed["dir"]; ok {
		words = append(words, "--dir", quoted(dir))
	}
	return strings.Join(words, " ")
}

// naming are the fewest flags by which the chosen session is found among those that there are.
func (a *app) naming() []string {
	session, base := []string{"--session", quoted(a.profile.Session)}, []string{"--base", quoted(a.profile.config.BaseURL)}
	both := slices.Concat(session, base)
	dir, err := a.folder()
	if err != nil {
		return both
	}
	all, err := dir.profiles().list()
	if err != nil {
		return both
	}
	for _, flags := range [][]string{nil, session, base} {
		if a.finds(all, flags) {
			return flags
		}
	}
	return both
}

// finds reports whether a command with these flags is about the chosen session. What is in the environment counts there,
// too.
func (a *app) finds(all []*profile, flags []string) bool {
	session, base := a.lasting("session", a.options.session), a.lasting("base", a.options.base)
	if len(flags) > 0 && flags[0] == "--session" {
		session = a.profile.Session
	} else if len(flags) > 0 {
		base = a.profile.config.BaseURL
	}
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	found := usual(matching(all, session, u))
	return len(found) == 1 && found[0].Session == a.profile.Session && found[0].at(a.profile.base)
}

// lasting is the value of a flag for the next command, where this one has value: what was typed is not typed again.
func (a *app) lasting(flag, value string) string {
	if _, typed := a.options.typed[flag]; typed {
		return ""
	}
	return value
}

// hint is a command to type, with those of the flags that were typed this time.
func (a *app) hint(command string, flags ...string) string {
	words := []string{"silentrefresh", command}
	for _, name := range flags {
		if value, ok := a.options.typed[name]; ok {
			words = append(words, "--"+name, quoted(value))
		}
	}
	return strings.Join(words, " ")
}
