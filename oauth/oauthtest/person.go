package oauthtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// Browse returns the browser of a scripted person, for oauth.Config.OpenBrowser: it opens a page, logs in as account where
// the provider asks, and follows to wherever that leads. It keeps its cookies: the next page finds account logged in. ""
// declines the login.
func (p *Provider) Browse(account string) func(page string) error {
	jar, _ := cookiejar.New(nil) // fails never
	hc := &http.Client{Transport: p.Transport(), Jar: jar}
	return func(page string) error {
		defer hc.CloseIdleConnections()
		resp, err := hc.Get(page)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.Request.URL.Path == string(Login) {
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
