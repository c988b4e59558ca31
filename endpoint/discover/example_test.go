package discover_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
)

// A recording of a browser says where everything is.
func ExampleRecording() {
	f, err := os.Open("testdata/express.har")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	found, err := discover.Recording(f)
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range found.Findings[1:4] {
		fmt.Println(finding)
	}
	fmt.Println(found.Settings, found.Ask, found.RejectedStatus)
	// Output:
	// login: POST /auth/login, asks for email and password, from 2 POST /auth/login (certain)
	// refresh: POST /auth/refresh, shows the cookie refreshToken, from 8 POST /auth/refresh (certain)
	// logout: POST /auth/logout, shows the cookie refreshToken, from 11 POST /auth/logout (certain)
	// {{POST /auth/login} {POST /auth/refresh} {POST /auth/logout}} [email password] [401 403]
}

// One request says how the credential travels, and brings it.
func ExampleCurl() {
	found, err := discover.Curl(`curl 'https://api.example.com/me' -H 'X-Auth-Token: 0123456789abcdef0123'`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.BaseURL, found.Attach.Header, found.Session.AccessToken)
	// Output:
	// https://api.example.com X-Auth-Token [redacted]
}

// A server may say itself how people log in there.
func ExampleURL() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<form method="post" action="/sessions"><input name="name"><input type="password" name="word"></form>`)
	}))
	defer server.Close()
	found, err := discover.URL(context.Background(), nil, server.URL)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Findings[0])
	fmt.Println(found.Ask)
	// Output:
	// login: POST /sessions with a form, asks for name and word, from GET / (certain)
	// [name word]
}
