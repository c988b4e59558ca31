package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// prepare makes the calls that come first, and from what they gave the request of the call itself.
func (x *exchange) prepare(ctx context.Context) *auth.Error {
	call, fail := x.completed(ctx, x.e.call(x.grant.Kind))
	if fail != nil {
		return fail
	}
	fields, err := call.fields(x.grant, x.spent)
	if err != nil {
		return x.unsent(err)
	}
	if token := x.csrfToken(); token != "" && x.e.CSRF.Field != "" && call.Method != http.MethodGet {
		call.set(fields, x.e.CSRF.Field, token)
	}
	body, contentType, err := call.encode(fields)
	if err != nil {
		return x.unsent(err)
	}
	x.call, x.url, x.body, x.contentType = call, call.address(fields), nil, contentType
	if contentType != "" {
		x.body = body
	}
	if jar, ok := x.hc.Jar.(*auth.Jar); ok {
		x.before = jar.All()
	}
	return nil
}

// completed is c with the values in it that the exchange knows, and those that its First gives.
func (x *exchange) completed(ctx context.Context, c *Call) (*Call, *auth.Error) {
	values := x.values()
	if c.First != nil {
		taken, fail := x.callFirst(ctx, c.First)
		if fail != nil {
			return nil, fail
		}
		maps.Copy(values, taken)
	}
	filled, err := c.fill(values, x.e.base)
	if err != nil {
		return nil, x.unsent(err)
	}
	return filled, nil
}

// values are those that every call can use. In a login they are the credentials, too, of which those that a call uses
// are no fields by themselves.
func (x *exchange) values() map[string]string {
	values := map[string]string{
		"access_token": x.grant.Old.AccessToken.Reveal(), "refresh_token": x.grant.Old.RefreshToken.Reveal(), "csrf_token": x.csrfToken(),
	}
	credentials, _ := credentialFields(x.grant.Credentials)
	for name, v := range credentials {
		text, ok := v.(string)
		if ok && x.grant.Kind == auth.KindLogin && x.e.Login.uses[name] && !slices.Contains(ownValues, name) {
			values[name] = text
			x.spent[name] = true
		}
	}
	return values
}

// callFirst makes a call that comes before the one that presents the credential, and takes what it names.
func (x *exchange) callFirst(ctx context.Context, c *Call) (map[string]string, *auth.Error) {
	call, fail := x.completed(ctx, c)
	if fail != nil {
		return nil, fail
	}
	req, err := call.request(ctx)
	if err != nil {
		return nil, x.first(call, 0, err)
	}
	x.call, x.url = call, req.URL // what decides on redirects, and on what a failure names
	x.noteSent()
	x.issued = time.Now()
	resp, err := x.hc.Do(req)
	if err != nil {
		return nil, x.first(call, 0, response.Cause(err))
	}
	a := response.Read(resp, x.issued)
	if !call.accepts(a.Status) || call.refusedBy(a, x.read(a)) {
		if x.grant.Kind != auth.KindLogin { // it presented the session
			return nil, x.refusal(a)
		}
		f := x.first(call, a.Status, nil)
		f.Until = retryafter.At(a.Status, a.Header)
		return nil, f
	}
	taken := map[string]string{}
	for name, at := range call.Take {
		value, ok := at.in(a)
		if !ok {
			return nil, x.first(call, a.Status, fmt.Errorf("the response has nothing %s for {%s}", at.where(), name))
		}
		taken[name] = value
		x.taken = append(x.taken, value)
	}
	return taken, nil
}

// first is the failure of a call before the one that presents the credential, which was not presented.
func (x *exchange) first(call *Call, status int, err error) *auth.Error {
	f := x.unsent(err)
	f.Path, f.Status, f.Hint = call.path(), status, "look at "+call.setting
	return f
}

// path is c's path for people: that of the settings, since a response may have put a secret into it.
func (c *Call) path() string {
	switch {
	case c.target == nil:
		return ""
	case placeholder.MatchString(c.URL):
		return withoutQuery(c.URL)
	}
	return c.target.Path
}

// request is c as it stands, for a call that presents no credential of its own.
func (c *Call) request(ctx context.Context) (*http.Request, error) {
	body, contentType, err := c.encode(c.Fields)
	if err != nil {
		return nil, err
	}
	var r io.Reader
	if contentType != "" {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, c.address(c.Fields).String(), r)
	if err != nil {
		return nil, errors.New("the request cannot be made of these settings")
	}
	req.Header.Set("Accept", c.accept())
	req.Header.Set("User-Agent", userAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	c.fixedHeaders(req)
	return req, nil
}
