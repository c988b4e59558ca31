package auth

import (
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

func TestJarForgetsWhatExpires(t *testing.T) {
	const site = "https://example.com/"
	synctest.Test(t, func(t *testing.T) {
		var j Jar
		in90 := wall.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
		setCookies(t, &j, site, "session=1", "age=2; Max-Age=60", "date=3; Expires="+in90, "both=4; Max-Age=120; Expires="+in90)
		for _, step := range []struct {
			sleep time.Duration
			want  string
		}{
			{59 * time.Second, "session=1; age=2; date=3; both=4"},
			{time.Second, "session=1; date=3; both=4"},
			{30 * time.Second, "session=1; both=4"},
			{30 * time.Second, "session=1"},
			{10 * 365 * 24 * time.Hour, "session=1"},
		} {
			time.Sleep(step.sleep)
			if got := cookieHeader(t, &j, site); got != step.want {
				t.Errorf("after another %v: %q, want %q", step.sleep, got, step.want)
			}
		}
		if got := len(j.All()); got != 4 {
			t.Errorf("All has %d cookies: what has ended by this clock alone should be kept", got)
		}
		for i := range 3 * maxLapsed {
			setCookies(t, &j, site, fmt.Sprintf("c%d=1; Max-Age=1", i))
		}
		time.Sleep(time.Second)
		if got := len(j.All()); got != 1+maxLapsed {
			t.Errorf("All has %d cookies, want the one that lives and %d others", got, maxLapsed)
		}
	})
}

func TestJarForgetsWhileTheMachineSleeps(t *testing.T) {
	var j Jar
	setCookies(t, &j, "https://example.com/", "a=1; Max-Age=60")
	wall.Sleep(time.Hour)
	defer wall.Sleep(-time.Hour)
	if got := cookieHeader(t, &j, "https://example.com/"); got != "" {
		t.Errorf("%q is sent an hour later", got)
	}
}

func TestJarKeepsNothingLongerThan400Days(t *testing.T) {
	const day = 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		limit := wall.Now().Add(400 * day)
		far := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
		jars := map[string]*Jar{
			"Max-Age": {}, "Expires": {}, "brought": NewJar(Cookie{Name: "a", Domain: "example.com", Expires: far}),
		}
		setCookies(t, jars["Max-Age"], "https://example.com/", fmt.Sprintf("a=1; Max-Age=%d", math.MaxInt))
		setCookies(t, jars["Expires"], "https://example.com/", "a=1; Expires="+far.Format(http.TimeFormat))
		for name, j := range jars {
			if got := j.All()[0].Expires; !got.Equal(limit) {
				t.Errorf("%s: expires %v, want %v", name, got, limit)
			}
		}
		limit = wall.Now().Add(399 * day)
		j := &Jar{}
		setCookies(t, j, "https://example.com/", "a=1; Max-Age="+fmt.Sprint(399*24*3600))
		if got := j.All()[0].Expires; !got.Equal(limit) {
			t.Errorf("below the limit: expires %v, want %v", got, limit)
		}
	})
}

func TestJarKeepsTheOrderOfCreation(t *testing.T) {
	const site = "https://example.com/"
	synctest.Test(t, func(t *testing.T) {
		var j Jar
		setCookies(t, &j, site, "a=1", "b=2")
		setCookies(t, &j, site, "c=3")
		created := j.All()[0].Created
		time.Sleep(time.Minute)
		setCookies(t, &j, site, "a=4", "d=5")
		if got, want := cookieHeader(t, &j, site), "a=4; b=2; c=3; d=5"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		c, ok := j.Find(jarURL(t, site), "a")
		if !ok || c.Value.Reveal() != "4" || !c.Created.Equal(created) {
			t.Errorf("a=%q created %v, want the time of its first setting, %v", c.Value.Reveal(), c.Created, created)
		}
		if last := j.All()[3].Name; last != "d" {
			t.Errorf("All ends with %s, not with what was set last", last)
		}
	})
}

func cookieNames(cookies []Cookie) string {
	var s []string
	for _, c := range cookies {
		s = append(s, c.Name)
	}
	return strings.Join(s, " ")
}

func TestJarMakesRoom(t *testing.T) {
	t.Run("of one domain", func(t *testing.T) {
		var j Jar
		for i := range 50 {
			setCookies(t, &j, "https://example.com/", fmt.Sprintf("c%d=1", i))
		}
		setCookies(t, &j, "https://example.org/", "other=1")
		setCookies(t, &j, "https://example.com/", "c0=again", "new=1")
		got := cookieNames(j.All())
		if len(j.All()) != 51 || strings.Contains(got, "c1 ") || !strings.Contains(got, "c0 new") {
			t.Errorf("c1 was set least recently and should have made room: %s", got)
		}
	})
	t.Run("Secure ones last", func(t *testing.T) {
		var j Jar
		setCookies(t, &j, "https://example.com/", "refresh=1; Secure")
		for i := range 200 {
			setCookies(t, &j, "http://example.com/", fmt.Sprintf("c%d=1", i))
		}
		if _, ok := j.Find(jarURL(t, "https://example.com/"), "refresh"); !ok || len(j.All()) != 50 {
			t.Errorf("a flood over http drove the Secure cookie out: %s", cookieNames(j.All()))
		}
	})
	t.Run("of all", func(t *testing.T) {
		var j Jar
		for i := range 200 {
			setCookies(t, &j, fmt.Sprintf("https://h%d.example.com/", i), "a=1")
		}
		if all := j.All(); len(all) != 180 || all[0].Domain != "h20.example.com" {
			t.Errorf("%d cookies, the first of %s", len(all), all[0].Domain)
		}
	})
}

func TestJarWithstandsFloods(t *testing.T) {
	var cookies []*http.Cookie
	for i := range 10_000 {
		cookies = append(cookies, &http.Cookie{Name: fmt.Sprintf("c%d", i), Value: strings.Repeat("x", 2000)})
	}
	cookies = append(cookies, &http.Cookie{Name: "huge", Value: strings.Repeat("x", 16<<20)},
		&http.Cookie{Name: "domain", Domain: strings.Repeat("x.", 8<<20)},
		&http.Cookie{Name: "date", RawExpires: strings.Repeat("1:", 8<<20)})
	var j Jar
	j.SetCookies(jarURL(t, "https://example.com/"), cookies)
	size := 0
	for _, c := range j.cookies {
		size += len(c.Name) + len(c.Value.Reveal()) + len(c.Domain) + len(c.Path)
	}
	if len(j.cookies) != 50 || size > 50*maxNameAndValue || cap(j.cookies) > 2*maxCookies {
		t.Errorf("%d cookies of %d bytes, room for %d", len(j.cookies), size, cap(j.cookies))
	}
	if _, ok := j.Find(jarURL(t, "https://example.com/"), "huge"); ok {
		t.Error("a cookie of 16 MB was kept")
	}
}

// A cookie is a few bytes of a response that may have megabytes: holding it must not hold the response.
func TestJarDoesNotHoldTheResponse(t *testing.T) {
	var j Jar
	line := "a=1; Path=/; junk=" + strings.Repeat("x", 1<<20)
	whole := weak.Make(unsafe.StringData(line))
	setCookies(t, &j, "https://example.com/", line)
	line = ""
	runtime.GC()
	runtime.GC()
	if whole.Value() != nil {
		t.Error("the line of 1 MB is still in memory")
	}
	if got := cookieHeader(t, &j, "https://example.com/"); got != "a=1" {
		t.Errorf("got %q", got)
	}
}

func TestJarIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Jar{}); size > 32 {
		t.Errorf("an empty jar has %d bytes: 100,000 idle sessions have one each", size)
	}
	if size := unsafe.Sizeof(Cookie{}); size > 144 {
		t.Errorf("a cookie has %d bytes", size)
	}
}

func TestJarIsSafeForConcurrentUse(t *testing.T) {
	var j Jar
	u := jarURL(t, "https://example.com/")
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			<-start
			for n := range 50 {
				j.SetCookies(u, []*http.Cookie{{Name: fmt.Sprint("c", i), Value: fmt.Sprint(n)}})
				NewJar(j.All()...)
				if c, ok := j.Find(u, fmt.Sprint("c", i)); !ok || c.Value.IsZero() {
					t.Errorf("c%d is gone", i)
				}
				j.Cookies(u)
			}
		})
	}
	close(start)
	wg.Wait()
	if got := len(j.All()); got != 8 {
		t.Errorf("%d cookies, want 8", got)
	}
}
