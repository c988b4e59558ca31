package authtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// shutdownTime is how long requests get to end when Run is told to.
const shutdownTime = 5 * time.Second

// Run runs a server with its buttons, as args (without a program's name) say, until ctx ends. Once the server is
// ready it writes one line to out, with the URL, the account and the password. With -h it writes endpoints, buttons and
// flags there and returns flag.ErrHelp.
func Run(ctx context.Context, args []string, out io.Writer) error {
	config := Config{Addr: "127.0.0.1:8080", Buttons: true}
	if err := parse(&config, args, out); err != nil {
		return err
	}
	s, err := Start(config)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := announce(out, s); err != nil {
		return fmt.Errorf("authtest: say that the server is ready: %w", err)
	}
	<-ctx.Done()
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := s.Shutdown(bounded); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("authtest: shut down: %w", err)
	}
	return nil
}

func announce(out io.Writer, s *Server) error {
	users := s.config.Load().Users
	email := slices.Sorted(maps.Keys(users))[0]
	line := fmt.Sprintf("ready %s email=%s password=%q", s.URL(), email, users[email])
	if s.AuthURL() != s.URL() {
		line += " auth=" + s.AuthURL()
	}
	_, err := fmt.Fprintln(out, line)
	return err
}

const runHelp = `An auth server and an API that it protects, for tests. The account is ` + DefaultEmail + ` with the password
"` + DefaultPassword + `".

Endpoints:
  POST /auth/login    takes {"email": ..., "password": ...} and gives an access token and a refresh token
  POST /auth/refresh  takes the refresh token and gives a new access token
  POST /auth/logout   ends the session
  /me                 the account
  /echo               the request; /status/418 that status, /stream events, /slow?for=2s a response later

Buttons, which make things go wrong:
` + buttonList + `
Flags:
`

// parse reads args into c. What is wrong is in the error alone; the help goes to out.
func parse(c *Config, args []string, out io.Writer) error {
	f := flags(c)
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(out, runHelp)
		f.SetOutput(out)
		f.PrintDefaults()
		return err
	case err != nil:
		return fmt.Errorf("authtest: %w; -h lists the flags", err)
	case f.NArg() > 0:
		return fmt.Errorf("authtest: unexpected argument %q: everything is a flag", f.Arg(0))
	}
	return nil
}

// flags are those of Run, with c behind them.
func flags(c *Config) *flag.FlagSet {
	f := flag.NewFlagSet("authserver", flag.ContinueOnError)
	f.Usage = func() {}
	f.StringVar(&c.Addr, "listen", c.Addr, "`address` to listen on")
	f.DurationVar(&c.AccessTTL, "ttl", 15*time.Minute, "lifetime of access tokens")
	f.DurationVar(&c.RefreshTTL, "refresh-ttl", 7*24*time.Hour, "lifetime of refresh tokens")
	f.DurationVar(&c.Grace, "grace", 0, "how long a spent refresh token may be used again")
	f.BoolVar(&c.Reusable, "reusable", false, "do not rotate refresh tokens")
	f.BoolVar(&c.Opaque, "opaque", false, "opaque access tokens instead of JSON Web Tokens")
	f.StringVar((*string)(&c.TokenIn), "token-in", "json", "`where` responses have the access token: json, header, cookie")
	f.StringVar(&c.TokenName, "token-name", "", "`name` of that field, header or cookie")
	f.StringVar((*string)(&c.RefreshIn), "refresh-in", "cookie", "`where` the refresh token travels: cookie, json, access")
	f.StringVar(&c.RefreshName, "refresh-name", "", "`name` of that cookie or field")
	f.StringVar((*string)(&c.TokenAtRefresh), "token-at-refresh", "", "whether a refresh has to carry the access token: `needed`, forbidden")
	f.BoolVar(&c.Secure, "secure", false, "mark cookies Secure without TLS too")
	f.BoolVar(&c.NoLoginToken, "no-login-token", false, "a login gives no access token")
	f.BoolVar(&c.NoExpiresIn, "no-expires-in", false, "responses have no lifetime")
	f.StringVar(&c.Header, "header", "", "request `header` with the access token (default Authorization)")
	f.StringVar(&c.Scheme, "scheme", "", "`scheme` before it (default Bearer in Authorization)")
	f.BoolVar(&c.Bare, "bare", false, "no scheme before it")
	f.IntVar(&c.RejectStatus, "reject-status", 401, "`status` for an access token that is not valid")
	f.IntVar(&c.RefuseStatus, "refuse-status", 401, "`status` for a refresh token that is not valid")
	f.StringVar(&c.HandOut, "hand-out", "", "response `header` of the API that hands out new access tokens")
	f.BoolVar(&c.CSRF, "csrf", false, "ask for a double submit")
	f.IntVar(&c.RateLimit, "rate", 0, "refreshes let through within -rate-window, 0 for all")
	f.DurationVar(&c.RateWindow, "rate-window", time.Minute, "time of -rate")
	f.DurationVar(&c.Skew, "skew", 0, "how far the server's clock is ahead")
	f.DurationVar(&c.RefreshDelay, "delay", 0, "how long a refresh takes")
	f.DurationVar(&c.APIDelay, "api-delay", 0, "how long an API request takes")
	f.BoolVar(&c.TLS, "tls", false, "serve https, with a certificate that nobody trusts")
	f.BoolVar(&c.HTTP2, "http2", false, "serve HTTP/2 as well")
	f.BoolVar(&c.AuthApart, "auth-apart", false, "serve the auth endpoints on a port of their own")
	f.Func("user", "another account, as `email:password`; may be repeated", func(v string) error { return addUser(c, v) })
	return f
}

func addUser(c *Config, text string) error {
	email, password, ok := strings.Cut(text, ":")
	if !ok || email == "" || password == "" {
		return errors.New("write it as email:password")
	}
	if c.Users == nil {
		c.Users = map[string]string{DefaultEmail: DefaultPassword}
	}
	c.Users[email] = password
	return nil
}
