package silentrefresh

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestF56_HandedOutTokens(t *testing.T) {
	const header = "X-New-Token"
	for _, test := range []struct {
		name    string
		between func(c *Client)
		taken   bool
	}{
		{"in time", func(*Client) {}, true},
		{"after a refresh", func(c *Client) { c.Renew(context.Background()) }, false},
		{"after a logout", func(c *Client) { c.Logout(context.Background()) }, false},
		{"after another login", func(c *Client) { c.Login(context.Background(), nil) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakeAS{}
				late := make(chan struct{})
				as.set(func() {
					as.api = func(req *http.Request) (*http.Response, error) {
						<-late
						resp := answerTo(req, 200)
						resp.Header.Set(header, "handed-out")
						return resp, nil
					}
				})
				c := as.client(t, func(cfg *Config) { cfg.HandOutHeader = header })
				time.Sleep(time.Second)
				done := make(chan struct{})
				go func() { get(c); close(done) }()
				synctest.Wait()
				test.between(c)
				close(late)
				<-done
				if taken := c.state.Load().session().AccessToken.Reveal() == "handed-out"; taken != test.taken {
					t.Errorf("taken: %v", taken)
				}
			})
		})
	}
}
