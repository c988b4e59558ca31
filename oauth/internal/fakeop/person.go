package fakeop

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// Browse returns a scripted person's browser: it opens a page, logs in as account where the provider asks, and
// follows to wherever that leads. "" declines the login.
func (p *Provider) Browse(account string) func(page string) error {
	jar, _ := cookiejar.New(nil) // fails never
	hc := &http.Client{Jar: jar}
	return func(page string) error {
		resp, err := hc.Get(page)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.Request.URL.Path == "/login" {
			resp, err = hc.PostForm(resp.Request.URL.String(), url.Values{"account": {account}})
			if err != nil {
				return err
			}
			defer resp.Body.Close()
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the browser ended at a page with status %d", resp.StatusCode)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
}
