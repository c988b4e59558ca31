package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// accepts reports whether a status is that of success.
func (c *Call) accepts(status int) bool {
	if len(c.AcceptedStatus) > 0 {
		return slices.Contains(c.AcceptedStatus, status)
	}
	return status >= 200 && status <= 299
}

// unaccepted is the failure of a call whose status is not that of success. Where the settings have named one, another
// that would usually do may be the page that shows the form again, or any page of a firewall.
func (x *exchange) unaccepted(a *response.Response) *auth.Error {
	if len(x.call.AcceptedStatus) == 0 || a.Status > 399 {
		return x.refusal(a)
	}
	f := x.failure()
	f.Status, f.Err = a.Status, errors.New("it is no status of "+x.setting("accepted_status"))
	f.Hint = fmt.Sprintf("if the server refuses credentials so, set %s to {\"status\": %d}", x.setting("refused"), a.Status)
	return f
}

// wantsRedirect reports whether a redirect is what the call waits for, so that it is looked at and not followed.
func (c *Call) wantsRedirect(status int) bool {
	switch {
	case slices.ContainsFunc(c.AcceptedStatus, isRedirect), slices.ContainsFunc(c.Refused, func(r RefusedBy) bool { return r.redirect(status) }):
		return true
	case c.Touch: // a page that lets nobody in redirects to one that lets everybody in
		return true
	}
	return c.setting == auth.KindLogout.String() && changesMethod(status)
}

func isRedirect(status int) bool { return status >= 300 && status <= 399 }

// changesMethod reports whether a redirect with this status says that the request was dealt with, and where to look
// next, rather than where to send it (RFC 9110 section 15.4).
func changesMethod(status int) bool {
	return status == http.StatusFound || status == http.StatusSeeOther
}

const maxRedirects = 10 // of a client that has no CheckRedirect, as net/http has it

// checkRedirect is the CheckRedirect of the exchange: a redirect that the settings expect is a response like any other.
func (x *exchange) checkRedirect(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if !x.fetching && req.Response != nil && x.call.wantsRedirect(req.Response.StatusCode) {
			return http.ErrUseLastResponse
		}
		if next != nil {
			return next(req, via)
		}
		if len(via) >= maxRedirects {
			return errors.New("too many redirects")
		}
		return nil
	}
}

// The Accept fields of calls that may be responded to by a page: a server that is to redirect does so for browsers, while
// what says in JSON that a session has ended is better understood.
const (
	acceptJSON      = "application/json"
	acceptPage      = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"
	acceptJSONFirst = "application/json,text/html;q=0.9,*/*;q=0.8"
)

// accept is the Accept field of the call.
func (c *Call) accept() string {
	page := func(v ValueAt) bool { return v.Field != "" || v.Meta != "" }
	switch {
	case slices.ContainsFunc(c.AcceptedStatus, isRedirect), slices.ContainsFunc(slices.Collect(maps.Values(c.Take)), page):
		return acceptPage
	case c.Touch, c.setting != c.kind.String():
		return acceptJSONFirst
	}
	return acceptJSON
}
