package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// A person has a browser with cookies, and an account at the provider. Every form that a page shows is filled in
// and sent, as a person would who agrees to everything.
type person struct {
	account string
	hc      *http.Client
}

func newPerson(account string) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it fails only for options
	}
	return &person{account, &http.Client{Jar: jar}}
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// browse opens page and goes on until a page has no form.
func (p *person) browse(page string) error {
	resp, err := p.hc.Get(page)
	for range 10 {
		if err != nil {
			return err
		}
		body, readErr := io.ReadAll(resp.Body)
		resp.Body.Close()
		action := formAction.FindSubmatch(body)
		switch {
		case readErr != nil:
			return readErr
		case resp.StatusCode != http.StatusOK:
			return fmt.Errorf("%s: status %d", resp.Request.URL.Path, resp.StatusCode)
		case action == nil:
			return nil
		}
		resp, err = p.send(resp.Request.URL, string(action[1]), string(body))
	}
	return errors.New("page after page with a form")
}

func (p *person) send(at *url.URL, action, page string) (*http.Response, error) {
	to, err := at.Parse(action)
	if err != nil {
		return nil, err
	}
	fields := url.Values{}
	for _, hidden := range formHidden.FindAllStringSubmatch(page, -1) {
		fields.Set(hidden[1], hidden[2])
	}
	switch {
	case strings.HasPrefix(to.Path, "/interaction/"):
		fields.Set("account", p.account)
	case fields.Has("user_code"):
		fields.Set("confirm", "yes")
	case strings.HasPrefix(to.Path, "/session/end"):
		fields.Set("logout", "yes")
	}
	return p.hc.PostForm(to.String(), fields)
}

// cookies logs the person in at the provider, at a page that nobody waits for, and takes the browser's cookies.
func (p *person) cookies(ctx context.Context, page, issuer string) ([]*http.Cookie, error) {
	p.hc.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), issuer) {
			return http.ErrUseLastResponse // the application's redirect URI
		}
		return nil
	}
	defer func() { p.hc.CheckRedirect = nil }()
	err := p.browse(page)
	at, parseErr := url.Parse(issuer + "/auth")
	if parseErr != nil {
		return nil, parseErr
	}
	got := p.hc.Jar.Cookies(at)
	if len(got) == 0 {
		return nil, fmt.Errorf("no cookies: %w", errors.Join(err, ctx.Err()))
	}
	return got, nil
}
