package endpoint

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// likeliest are the names of the cookies among sent that are the credential, as far as one can tell: all that are as
// likely as any other. The cookie that is the access token is one only where it is alone.
func (e *Exchanger) likeliest(jar http.CookieJar, sent map[string]bool) (names []string) {
	httpOnly := map[string]bool{}
	if j, ok := jar.(*auth.Jar); ok {
		for _, c := range j.All() {
			httpOnly[c.Name] = httpOnly[c.Name] || c.HttpOnly
		}
	}
	best := -1
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		points := e.likelihood(name, httpOnly[name])
		if points > best {
			best, names = points, nil
		}
		if points == best {
			names = append(names, name)
		}
	}
	return names
}

// likelihood is how likely a cookie is the credential, in points.
func (e *Exchanger) likelihood(name string, httpOnly bool) int {
	points := 1
	if name == e.AccessToken.Cookie {
		return 0
	}
	name = response.Plain(name)
	if strings.Contains(name, "refresh") {
		points += 4
	}
	if httpOnly {
		points += 2
	}
	for _, part := range []string{"sess", "sid", "auth", "token", "jwt"} {
		if strings.Contains(name, part) {
			return points + 1
		}
	}
	return points
}
