package origin

import (
	"net/url"
	"testing"
)

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://api.example.com", "HTTPS://API.Example.com:443/path?q", true},
		{"http://localhost:80", "http://localhost./", true},
		{"http://[::1]:8080", "http://[0:0::1]:8080/x", true},
		{"https://bücher.example", "https://xn--bcher-kva.example", true},
		{"https://api.example.com", "http://api.example.com", false},
		{"https://api.example.com", "https://api.example.com:8443", false},
		{"https://api.example.com", "https://api.example.com.evil.test", false},
		{"/path", "/path", false},
		{"ftp://a", "ftp://a", false},
		{"null", "null", false},
	} {
		a, errA := url.Parse(c.a)
		b, errB := url.Parse(c.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if Same(a, b) != c.same || Same(b, a) != c.same {
			t.Errorf("%s and %s: %t", c.a, c.b, !c.same)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost.": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"a.localhost": false, "localhost.example.com": false, "10.0.0.1": false, "0.0.0.0": false, "": false, "127.1": false,
	} {
		if Loopback(host) != want {
			t.Errorf("%q: %t", host, !want)
		}
	}
}
