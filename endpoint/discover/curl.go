package discover

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/har"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// MaxCurl is the length of the longest command line that Curl reads.
const MaxCurl = 1 << 20

// Curl learns from a command line of curl, as browsers copy it for bash or for cmd.exe, where the server is and how API
// requests carry the credential. The credential is the Result's Session: to be taken up by Client.Resume, if that
// is what a person wants. One request says nothing of the others: where it is no login, refresh or logout itself,
// these have the URL "-", and Missing says what to do.
//
// Nothing is expanded, and no file is read. Errors do not repeat the command line.
func Curl(line string) (Result, error) {
	if len(line) > MaxCurl {
		return Result{}, fmt.Errorf("discover: the command line is longer than %d KiB", MaxCurl>>10)
	}
	all, err := words(line)
	if err != nil {
		return Result{}, fmt.Errorf("discover: the command line was not read: %w", err)
	}
	if len(all) == 0 || !strings.Contains(strings.ToLower(all[0]), "curl") {
		return Result{}, errors.New("discover: that is no command line of curl")
	}
	c := &curl{}
	c.read(all[1:])
	x, err := c.exchange()
	if err != nil {
		return Result{}, err
	}
	return learnRequest(x, c), nil
}

// curl is a command line, as far as it matters.
type curl struct {
	method  string
	url     string
	headers []har.Pair
	data    []string
	form    []har.Pair
	media   string // of the data
	get     bool   // data goes to the query
	basic   bool   // -u was given
	left    []string
}

// takesValue are curl's options with a value, beside those that are understood.
var takesValue = strings.Fields(`-o --output -m --max-time --connect-timeout -x --proxy -U --proxy-user --proxy-header
	--cacert --capath -E --cert --key -c --cookie-jar -T --upload-file -w --write-out --retry --retry-delay -r --range
	--resolve --interface --limit-rate -K --config --ciphers --max-redirs -D --dump-header --tls-max --connect-to
	-y -Y -z -t -C -Q -P --dns-servers --aws-sigv4 --trace --trace-ascii`)

// understands are the options with a value that say something of the request.
var understands = strings.Fields(`-X --request -H --header -d --data --data-raw --data-binary --data-ascii --data-urlencode
	--json -b --cookie -u --user -A --user-agent -e --referer -F --form --form-string --url --oauth2-bearer`)

func (c *curl) read(args []string) {
	for i := 0; i < len(args); i++ {
		name, value, attached := option(args[i])
		if name == "" {
			if c.url == "" {
				c.url = value
			}
			continue
		}
		if !slices.Contains(takesValue, name) && !understood(name) {
			c.get = c.get || name == "-G" || name == "--get"
			continue
		}
		if !attached {
			if i++; i == len(args) {
				return
			}
			value = args[i]
		}
		c.take(name, value)
	}
}

// option splits an argument: "-XPOST" and "--request=POST" have their value with them. An argument that is no option
// has no name.
func option(arg string) (name, value string, attached bool) {
	switch {
	case strings.HasPrefix(arg, "--") && len(arg) > 2:
		return strings.Cut(arg, "=")
	case len(arg) > 2 && arg[0] == '-' && (understood(arg[:2]) || slices.Contains(takesValue, arg[:2])):
		return arg[:2], arg[2:], true
	case len(arg) > 1 && arg[0] == '-':
		if strings.HasSuffix(arg, "X") || strings.HasSuffix(arg, "H") { // -sX POST
			return "-" + arg[len(arg)-1:], "", false
		}
		return arg, "", false
	}
	return "", arg, false
}

func understood(name string) bool { return slices.Contains(understands, name) }

func (c *curl) take(name, value string) {
	header := func(name, value string) { c.headers = append(c.headers, har.Pair{Name: name, Value: value}) }
	switch name {
	case "-X", "--request":
		c.method = strings.ToUpper(value)
	case "-H", "--header":
		if name, value, ok := strings.Cut(value, ":"); ok {
			header(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	case "-b", "--cookie":
		if strings.Contains(value, "=") {
			header("Cookie", value)
		} else {
			c.left = append(c.left, "a file of cookies")
		}
	case "-u", "--user":
		c.basic = true
	case "--oauth2-bearer":
		header("Authorization", "Bearer "+value)
	case "--url":
		c.url = value
	case "--json":
		c.media = "application/json"
		c.data = append(c.data, value)
	case "-d", "--data", "--data-binary", "--data-ascii":
		if strings.HasPrefix(value, "@") {
			c.left = append(c.left, "a file that is the body")
			value = ""
		}
		c.data = append(c.data, value)
	case "--data-raw", "--data-urlencode":
		c.data = append(c.data, value)
	case "-F", "--form", "--form-string":
		if name, value, ok := strings.Cut(value, "="); ok && !strings.HasPrefix(value, "@") {
			c.form = append(c.form, har.Pair{Name: name, Value: value})
		}
	}
}

// exchange is the request, without a response.
func (c *curl) exchange() (*exchange, error) {
	ref := c.url
	if ref != "" && !strings.Contains(ref, "://") {
		ref = "http://" + ref // as curl has it
	}
	u, err := url.Parse(ref)
	if err != nil || ref == "" {
		return nil, errors.New("discover: there is no URL in the command line")
	}
	if _, err := origin.Of(u); err != nil {
		return nil, fmt.Errorf("discover: the URL: %w", err)
	}
	e := &har.Entry{Request: har.Request{Method: c.method, URL: ref, Headers: c.headers}}
	if len(c.data)+len(c.form) > 0 && !c.get {
		if e.Request.Method == "" {
			e.Request.Method = http.MethodPost
		}
		e.Request.PostData = &har.PostData{MimeType: c.mediaType(), Text: strings.Join(c.data, "&"), Params: c.form}
	}
	if e.Request.Method == "" {
		e.Request.Method = http.MethodGet
	}
	return newExchange(e), nil
}

func (c *curl) mediaType() string {
	for _, h := range c.headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			return h.Value
		}
	}
	switch {
	case c.media != "":
		return c.media
	case len(c.form) > 0:
		return "multipart/form-data"
	}
	return "application/x-www-form-urlencoded"
}

// learnRequest concludes what a single request allows.
func learnRequest(x *exchange, c *curl) Result {
	l := newLearner([]*exchange{x})
	r := l.result
	r.BaseURL = x.url.Scheme + "://" + x.url.Host
	r.Settings.Login.URL, r.Settings.Refresh.URL, r.Settings.Logout.URL = "-", "-", "-"
	r.found(Certain, l.from(x), "the server is %s", r.BaseURL)
	l.findTwin()
	l.carrier = l.bestCarrier()
	l.tellCarrier(x, c)
	l.collectSecrets()
	l.tellCall(x)
	for _, what := range c.left {
		r.missing("the command line names %s, which was not read", what)
	}
	l.describeStanding()
	base, err := url.Parse(r.BaseURL)
	if err == nil {
		_, err = r.Settings.Bind(base, r.Attach)
	}
	if err != nil {
		r.missing("the settings have mistakes: %v", err)
	}
	return *r
}

// findTwin finds the header that repeats a cookie.
func (l *learner) findTwin() {
	l.findCSRF()
	if l.csrf == nil {
		return
	}
	u := l.csrf.uses[0]
	l.result.Settings.CSRF.Cookie, l.result.Settings.CSRF.Header = l.twin(u), l.csrf.name
	l.result.found(Likely, nil, "the header %s repeats the cookie %s, against forgery", l.csrf.name, l.twin(u))
}

var (
	tokenName   = regexp.MustCompile(`(?i)auth|token|jwt|bearer|session|access`)
	sessionName = regexp.MustCompile(`(?i)sess|sid$|^sid|auth|token|jwt|login|user`)
)

// bestCarrier is what the one request carries as its credential, by name and by the look of it.
func (l *learner) bestCarrier() (best *group) {
	most := 0
	for _, g := range l.groups() {
		u, points := g.uses[0], 0
		switch {
		case g == l.csrf || l.forgery(g) || strings.EqualFold(u.scheme, "Basic"):
		case g.place == inHeader && g.name == "Authorization" && (u.scheme != "" && bearer.Check(u.value) == nil || opaque(u.value)):
			points = 1000 // behind a scheme whatever it looks like: that is what the header is for
		case !opaque(u.value):
		case g.place == inHeader && (tokenName.MatchString(g.name) || bearer.Parse(u.value) != nil):
			points = 500
		case g.place == inCookie:
			points = 10
			if sessionName.MatchString(g.name) {
				points += 100
			}
			if refreshName.MatchString(g.name) {
				points -= 50
			}
			if bearer.Parse(u.value) != nil {
				points += 50
			}
		}
		if points > most {
			best, most = g, points
		}
	}
	return best
}

// tellCarrier says how the credential travels, and takes it up.
func (l *learner) tellCarrier(x *exchange, c *curl) {
	r := l.result
	for _, cookie := range x.cookies {
		value := unquoted(cookie.Value)
		r.Session.Cookies = append(r.Session.Cookies, auth.Cookie{
			Name: cookie.Name, Value: auth.NewSecret(value), Quoted: value != cookie.Value,
		})
	}
	switch g := l.carrier; {
	case g == nil && (c.basic || isBasic(x.header.Get("Authorization"))):
		r.missing("it sends a user and a password with each request (Basic): there is no session to keep")
	case g == nil:
		r.missing("no credential is recognized in it; copy a request that was made while you were logged in")
	case g.place == inCookie && refreshName.MatchString(x.url.Path):
		r.found(Guess, nil, "the cookie %s renews the session", g.name)
	case g.place == inCookie:
		r.Settings.AccessToken.Cookie = g.name
		r.Session.AccessToken = auth.NewSecret(g.uses[0].value)
		r.found(Guess, nil, "the session is the cookie %s", g.name)
	default:
		r.Attach = g.attach()
		r.Session.AccessToken = auth.NewSecret(g.uses[0].value)
		sure := Guess
		if g.name == "Authorization" {
			sure = Certain
		}
		header, value := r.Attach.Value("TOKEN")
		r.found(sure, nil, "API requests carry %s: %s", header, value)
	}
}

// tellCall takes the request for the call that it looks like.
func (l *learner) tellCall(x *exchange) {
	s := &l.result.Settings
	switch {
	case l.typesPassword(x):
		l.login = x
		l.collectSecrets()
		l.describeLogin()
		l.result.Session = auth.Session{}
		l.result.missing("one request does not say how the session is renewed and ended; " +
			"record all of it: silentrefresh learn FILE.har")
		return
	case refreshName.MatchString(x.url.Path):
		l.refresh = x
		var shown shown
		s.Refresh, shown = l.call(x, nil)
		l.result.Session.RefreshToken = auth.NewSecret(shown.refresh)
		l.result.found(Guess, l.from(x), "refresh: %s", describe(s.Refresh))
	case logoutName.MatchString(x.url.Path):
		l.logout = x
		s.Logout, _ = l.call(x, nil)
		l.result.found(Guess, l.from(x), "logout: %s", describe(s.Logout))
	}
	l.result.missing("one request does not say how to log in, how the session is renewed and how it ends; " +
		"record all of it (silentrefresh learn FILE.har), or take the settings of your kind of server from docs/SERVERS.md")
}
