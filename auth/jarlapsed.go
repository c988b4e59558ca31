package auth

import (
	"net/url"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// Revive takes their end from the cookies that a request for u would carry if they had not ended, and reports whether
// there are any. What has ended is only this machine's word for it: before a session is given up, its server should
// have been asked once.
func (j *Jar) Revive(u *url.URL) bool {
	t, ok := cookieURLOf(u)
	if !ok {
		return false
	}
	now := wall.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	revived := false
	for i := range j.cookies {
		if c := &j.cookies[i]; !c.live(now) && t.gets(c) {
			c.Expires = time.Time{}
			revived = true
		}
	}
	return revived
}

// Sole returns the cookie of that name that was set last, wherever it is sent to, and removes all others of that name.
// It is for a cookie that is the access token: a server that moves it to another Path, say, would get it twice.
func (j *Jar) Sole(name string) (Cookie, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var last Cookie
	found := false
	for _, c := range slices.Backward(j.cookies) {
		if c.Name == name {
			last, found = c, true
			break
		}
	}
	if found {
		j.cookies = slices.DeleteFunc(j.cookies, func(c Cookie) bool { return c.Name == name && !c.replaces(&last) })
	}
	return last, found
}
