package auth

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// How many cookies a Jar holds, in all and of one domain (RFC 6265bis section 6.1).
const (
	maxCookies          = 180
	maxCookiesPerDomain = 50
)

// maxLapsed is how many cookies a Jar keeps whose end has passed.
const maxLapsed = 10

// A Jar is an http.CookieJar by RFC 6265bis that can be enumerated, written down and read back: a jar that is made
// from All's cookies responds to every URL as the first one did.
//
// It holds at most 180 cookies, and 50 of one domain. Beyond that, those that were set least recently make room,
// those that are not Secure first. Cookies of more than 4096 bytes, cookies without a name, and those that no header
// can carry (control characters, say) are refused.
//
// A cookie whose end has passed is sent no more, and yet ten of them are kept: this machine's clock may be wrong, and
// be set right again. Only the server deletes a cookie. Revive has those that have ended sent once more.
//
// Secure cookies are taken from, and sent to, https URLs and this machine (localhost, 127.0.0.0/8
// and ::1), which browsers hold to be secure as well. Ports do not matter, as in all cookie jars.
// SameSite is kept and not applied. No domain below a public suffix can set cookies for the whole of it.
//
// The zero value is empty and ready. A Jar is safe for concurrent use. It must not be copied.
type Jar struct {
	mu      sync.Mutex
	cookies []Cookie // the one that was set last is last
}

// NewJar returns a jar that holds cookies, without those that no jar may hold. A cookie without Domain is kept, and sent
// nowhere; one without Path is for every path.
func NewJar(cookies ...Cookie) *Jar {
	j := &Jar{}
	now := wall.Now()
	for _, c := range cookies {
		if c, ok := c.canonical(now); ok {
			j.keep(c, now)
		}
	}
	return j
}

// SetCookies implements http.CookieJar: it takes what the response to a request for u sets, by RFC 6265bis section 5.7.
func (j *Jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	t, ok := cookieURLOf(u)
	if !ok {
		return
	}
	now := wall.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	created := j.nextCreated(now)
	for _, hc := range cookies {
		c, ok := t.read(hc, now)
		if !ok || !t.secure && j.protects(&c, now) {
			continue
		}
		c.Created = created
		created = created.Add(1)
		if c.live(now) {
			j.keep(c, now)
		} else {
			j.remove(&c)
		}
	}
}

// Cookies implements http.CookieJar: what a request for u carries, longer paths first, then in the order of creation
// (RFC 6265bis section 5.8.3). It is nothing for schemes other than http and https. Cookies of which net/http would leave
// out bytes are not among them: Transport sends them.
func (j *Jar) Cookies(u *url.URL) []*http.Cookie {
	var sent []*http.Cookie
	for _, c := range j.SentTo(u) {
		hc := &http.Cookie{Name: c.Name, Value: c.Value.Reveal(), Quoted: c.Quoted}
		if hc.Valid() == nil {
			sent = append(sent, hc)
		}
	}
	return sent
}

// All returns all cookies, those that were set least recently first. Some may have ended by this machine's clock.
func (j *Jar) All() []Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sweep(wall.Now())
	return slices.Clone(j.cookies)
}

// Find returns the cookie of that name which a request for u carries; the first one where there are several.
func (j *Jar) Find(u *url.URL, name string) (Cookie, bool) {
	for _, c := range j.SentTo(u) {
		if c.Name == name {
			return c, true
		}
	}
	return Cookie{}, false
}

// SentTo is Cookies with all that j knows of them.
func (j *Jar) SentTo(u *url.URL) []Cookie {
	t, ok := cookieURLOf(u)
	if !ok {
		return nil
	}
	now := wall.Now()
	sent := j.pick(func(c *Cookie) bool { return c.live(now) && t.gets(c) })
	slices.SortStableFunc(sent, func(a, b Cookie) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), a.Created.Compare(b.Created))
	})
	return sent
}

func (j *Jar) pick(wanted func(*Cookie) bool) []Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	var picked []Cookie
	for i := range j.cookies {
		if wanted(&j.cookies[i]) {
			picked = append(picked, j.cookies[i])
		}
	}
	return picked
}

// nextCreated returns a time later than the creation of every cookie in j, so that cookies of one response, or of a
// clock that was turned back, have an order of creation.
func (j *Jar) nextCreated(now time.Time) time.Time {
	next := now.UTC()
	for i := range j.cookies {
		if created := j.cookies[i].Created; !created.Before(next) {
			next = created.Add(1)
		}
	}
	return next
}

// protects reports whether c, which comes from a URL that is not secure, would overwrite or hide a Secure cookie
// (RFC 6265bis section 5.7).
func (j *Jar) protects(c *Cookie, now time.Time) bool {
	return slices.ContainsFunc(j.cookies, func(o Cookie) bool {
		return o.Secure && o.live(now) && o.Name == c.Name && pathMatch(c.Path, o.Path) &&
			(o.Domain == c.Domain || subdomain(o.Domain, c.Domain) || subdomain(c.Domain, o.Domain))
	})
}

// keep makes c the cookie that was set last.
func (j *Jar) keep(c Cookie, now time.Time) {
	if old, ok := j.remove(&c); ok && old.live(now) {
		c.Created = old.Created
	}
	j.cookies = append(j.cookies, c)
	j.sweep(now)
	j.evict(maxCookiesPerDomain, func(o *Cookie) bool { return o.Domain == c.Domain && o.live(now) })
	j.evict(maxCookies, func(*Cookie) bool { return true })
}

// sweep forgets all but a few of the cookies that have ended, those that were set last.
func (j *Jar) sweep(now time.Time) {
	lapsed := 0
	for i := range j.cookies {
		if !j.cookies[i].live(now) {
			lapsed++
		}
	}
	j.cookies = slices.DeleteFunc(j.cookies, func(c Cookie) bool {
		if c.live(now) {
			return false
		}
		lapsed--
		return lapsed >= maxLapsed
	})
}

// remove removes the cookie that c replaces, and returns it.
func (j *Jar) remove(c *Cookie) (old Cookie, ok bool) {
	i := slices.IndexFunc(j.cookies, func(o Cookie) bool { return c.replaces(&o) })
	if i < 0 {
		return Cookie{}, false
	}
	old = j.cookies[i]
	j.cookies = slices.Delete(j.cookies, i, i+1)
	return old, true
}

// evict removes one of the cookies in question if they are more than limit.
func (j *Jar) evict(limit int, inQuestion func(*Cookie) bool) {
	count, oldest, oldestPlain := 0, -1, -1
	for i := range j.cookies {
		c := &j.cookies[i]
		if !inQuestion(c) {
			continue
		}
		count++
		if oldest < 0 {
			oldest = i
		}
		if oldestPlain < 0 && !c.Secure {
			oldestPlain = i
		}
	}
	if count <= limit {
		return
	}
	if oldestPlain >= 0 {
		oldest = oldestPlain
	}
	j.cookies = slices.Delete(j.cookies, oldest, oldest+1)
}
