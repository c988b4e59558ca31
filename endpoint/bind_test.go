package endpoint

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestBindFillsInTheDefaults(t *testing.T) {
	given := Settings{}
	e, err := given.Bind(fakes.URL(t, "https://api.test/v1"), auth.Attach{})
	if err != nil {
		t.Fatal(err)
	}
	for kind, c := range map[auth.Kind]Call{auth.KindLogin: e.Login, auth.KindRefresh: e.Refresh, auth.KindLogout: e.Logout} {
		if c.Method != "POST" || c.Encoding != "json" || c.target.String() != "https://api.test/auth/"+kind.String() {
			t.Errorf("%s: %+v to %s", kind, c, c.target)
		}
	}
	if !reflect.DeepEqual(given, Settings{}) {
		t.Errorf("the caller's Settings was changed: %+v", given)
	}
}

func TestBindResolvesURLs(t *testing.T) {
	for _, tt := range []struct{ base, url, want string }{
		{"https://api.test", "/login", "https://api.test/login"},
		{"https://api.test/v1", "/login", "https://api.test/login"},
		{"https://api.test/v1", "login/", "https://api.test/v1/login/"},
		{"https://api.test/v1/", "login", "https://api.test/v1/login"},
		{"https://api.test", "login", "https://api.test/login"},
		{"https://api.test", "/token?grant_type=password&x=a+b", "https://api.test/token?grant_type=password&x=a+b"},
		{"https://api.test", "?action=login", "https://api.test/?action=login"},
		{"https://api.test", "https://id.test/token#x", "https://id.test/token"},
		{"http://127.0.0.1:8080", "/a%2Fb/", "http://127.0.0.1:8080/a%2Fb/"},
		{"http://lan.test", "/login", "http://lan.test/login"},
		{"https://api.test", "http://localhost:9/login", "http://localhost:9/login"},
	} {
		e, err := Settings{Login: Call{URL: tt.url}}.Bind(fakes.URL(t, tt.base), auth.Attach{})
		if err != nil || e.Login.target.String() != tt.want {
			t.Errorf("%q from %s: %v", tt.url, tt.base, err)
		}
	}
}

func TestF47_CredentialsDoNotTravelOverPlainHTTP(t *testing.T) {
	for _, tt := range []struct {
		base, url string
		ok        bool
	}{
		{"https://api.test", "http://api.test/login", false},
		{"https://api.test", "http://id.test/login", false},
		{"https://api.test", "//id.test/login", true},
		{"http://api.test", "//id.test/login", false},
		{"http://api.test", "http://API.test:80/login", true}, // New has looked at its own origin
		{"http://api.test", "http://api.test:81/login", false},
		{"https://api.test", "http://127.1.2.3/login", true},
		{"https://api.test", "http://[::1]:80/login", true},
		{"https://api.test", "http://127.0.0.1.evil.test/login", false},
		{"https://api.test", "http://10.0.0.1/login", false},
	} {
		for name, e := range map[string]Settings{"login": {Login: Call{URL: tt.url}}, "refresh": {Refresh: Call{URL: tt.url}}, "logout": {Logout: Call{URL: tt.url}},
			"csrf": {CSRF: CSRF{Cookie: "c", URL: tt.url}}} {
			_, err := e.Bind(fakes.URL(t, tt.base), auth.Attach{})
			if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), name+".url: plain http") {
				t.Errorf("%s at %s below %s: %v", name, tt.url, tt.base, err)
			}
		}
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	e := Settings{
		Login:        Call{Method: "FETCH", URL: "ftp://x/y", Encoding: "xml", Headers: map[string]string{"a b": "c", "X": "d\r\ne"}},
		Refresh:      Call{URL: "https://ada:pw@x/y", RefreshTokenField: "t", AccessTokenField: "t", RefreshTokenHeader: "a:b", Refused: RefusedRules{{Status: 42}, {Status: 401}}},
		Logout:       Call{URL: "http://[::1", Fields: map[string]any{"f": func() {}}},
		CSRF:         CSRF{Cookie: "a", ResponseJSON: "b", Header: "c d", URL: "https:///x"},
		AccessToken:  AccessTokenAt{Header: "h h", Cookie: "c;c", JSON: "x"},
		RefreshToken: RefreshTokenAt{Header: "r r"},
	}
	bound, err := e.Bind(fakes.URL(t, "https://api.test"), auth.Attach{})
	if err == nil || bound != nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`login.method: "FETCH"`, `login.url: scheme "ftp"`, `login.encoding: "xml"`, `login.headers: "a b"`, "login.headers: the value of X",
		"refresh.url: take user and password out", `both "t"`, "refresh_token_header", "refresh.refused: 42", "logout.url: it cannot be parsed",
		"logout.fields", "csrf: cookie, response_header, response_json", "csrf: header", "csrf.url: the host is missing",
		"access_token.header", "access_token.cookie", "access_token: a token is either", "refresh_token.header",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in\n%v", want, err)
		}
	}
	for _, secret := range []string{"ada", "pw", "d\r"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in the error", secret)
		}
	}
}

func TestSingleMistakes(t *testing.T) {
	for want, e := range map[string]Settings{
		"set cookie, response_header":               {CSRF: CSRF{Header: "X-CSRF"}},
		"refresh_token_field and refresh_token_hea": {Refresh: Call{RefreshTokenField: "a", RefreshTokenHeader: "B"}},
		"login.refused: 1000":                       {Login: Call{Refused: RefusedRules{{Status: 1000}}}},
		"login.url: scheme \"javascript\"":          {Login: Call{URL: "javascript:alert(1)"}},
		"logout.headers: \"\" is not a header name": {Logout: Call{Headers: map[string]string{"": "x"}}},
	} {
		if _, err := e.Bind(fakes.URL(t, "https://api.test"), auth.Attach{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestSettingsAreJSON(t *testing.T) {
	const config = `{
	  "login":   {"method": "POST", "url": "/auth/login",   "encoding": "json", "headers": {}, "fields": {}},
	  "refresh": {"method": "POST", "url": "/auth/refresh", "encoding": "json", "headers": {}, "fields": {},
	              "refresh_token_field": "", "access_token_field": "", "refused": []},
	  "logout":  {"method": "POST", "url": "/auth/logout",  "encoding": "json", "headers": {}, "fields": {}},
	  "csrf":          {"cookie": "", "header": ""},
	  "access_token":  {"json": "", "header": "", "cookie": "", "expires_json": ""},
	  "refresh_token": {"json": ""}}`
	d := json.NewDecoder(strings.NewReader(config))
	d.DisallowUnknownFields()
	var e Settings
	if err := d.Decode(&e); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Bind(fakes.URL(t, "https://api.test"), auth.Attach{}); err != nil {
		t.Error(err)
	}
}
