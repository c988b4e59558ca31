package fakes

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Respond always sends the same response. A content type of "-" sends none.
func Respond(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if contentType == "-" {
			w.Header()["Content-Type"] = nil
		}
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func RespondJSON(status int, body string, headers ...string) http.HandlerFunc {
	return Respond(status, "application/json", body, headers...)
}

// InTurn responds with each handler once, and then with the last.
func InTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var calls atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(int(calls.Add(1)), len(handlers))-1](w, r)
	}
}

// JWT signs claims given as name, value, name, value.
func JWT(tb testing.TB, pairs ...any) string {
	tb.Helper()
	c := jwt.MapClaims{}
	for i := 0; i+1 < len(pairs); i += 2 {
		c[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(JWTKey)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

const HTML = "<!DOCTYPE html><html><body>Please log in to the hotel's network</body></html>"

func URL(tb testing.TB, s string) *url.URL {
	tb.Helper()
	u, err := url.Parse(s)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

func UnixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

type RoundTripFunc func(*http.Request) (*http.Response, error)

func (f RoundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

var JWTKey = []byte("0123456789abcdef0123456789abcdef")
