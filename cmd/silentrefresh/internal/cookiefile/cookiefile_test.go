package cookiefile

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

func TestRead(t *testing.T) {
	end := time.Now().Add(time.Hour).Truncate(time.Second)
	file := filepath.Join(t.TempDir(), "c")
	lines := []string{
		"#HttpOnly_.example.com\tTRUE\t/\tTRUE\t" + fmt.Sprint(end.Unix()) + "\ta\tA",
		"api.example.com\tFALSE\t/x\tFALSE\t0\tb\t\"B\"\r",
		"api.example.com\tFALSE\t/\tFALSE\t1\tended\tC",
		"api.example.com\tFALSE\t/\tFALSE\t0\tempty",
		"other.example.com\tFALSE\t/\tFALSE\t0\tother\tD",
		"# comment", "   ",
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file, []string{"api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	want := []auth.Cookie{
		{Name: "a", Domain: "example.com", Path: "/", Secure: true, HttpOnly: true, Expires: end},
		{Name: "b", Quoted: true, Domain: "api.example.com", HostOnly: true, Path: "/x"},
		{Name: "empty", Domain: "api.example.com", HostOnly: true, Path: "/"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d cookies, want %d: %v", len(got), len(want), got)
	}
	for i, c := range got {
		value := c.Value.Reveal()
		c.Value = auth.Secret{}
		if !c.Expires.Equal(want[i].Expires) {
			t.Errorf("%s ends %v", c.Name, c.Expires)
		}
		c.Expires, want[i].Expires = time.Time{}, time.Time{}
		if c != want[i] || value != []string{"A", "B", ""}[i] {
			t.Errorf("%+v with %q, want %+v", c, value, want[i])
		}
	}
	u, _ := url.Parse("https://api.example.com/x")
	jar := auth.NewJar(got...)
	if n := len(jar.Cookies(u)); n != 3 {
		t.Errorf("%d cookies go to %s", n, u)
	}
}
