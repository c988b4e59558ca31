package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// post sends a form to an endpoint, as the client that we are, and returns the response where its status is a good one.
// A token that is bound to a key is asked for with a proof; the nonce that the server wants in it is sent once more, and
// that spends nothing (RFC 9449 section 8).
func (x *exchange) post(ctx context.Context, endpoint string, form url.Values) (*response.Response, *auth.Error) {
	for attempt := 0; ; attempt++ {
		r, err := x.postOnce(ctx, endpoint, form)
		if err != nil || good(r) {
			return r, err
		}
		e := x.refusal(r)
		if attempt > 1 || !x.proveBetter(r, e.Code) {
			return nil, e
		}
	}
}

func (x *exchange) postOnce(ctx context.Context, endpoint string, form url.Values) (*response.Response, *auth.Error) {
	header, failure := x.authenticate(form)
	if failure != nil {
		return nil, failure
	}
	for _, name := range secretFields {
		x.sent = append(x.sent, form[name]...)
	}
	x.sent = append(x.sent, x.client.secret.Reveal())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, x.mistake("an endpoint of the server's is not a URL")
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	at := requestOrigin(req)
	if x.proof != nil && (endpoint == x.TokenEndpoint || endpoint == x.PushedRequestEndpoint) {
		proof, err := x.proof.prove(req.Method, req.URL, "", x.clock.get(at), time.Now())
		if err != nil {
			return nil, x.mistake("%w", err)
		}
		req.Header.Set("DPoP", proof)
	}
	resp, err := x.hc.Do(req)
	if err != nil {
		if resp != nil { // a redirect that was not followed
			return nil, x.refusal(response.New(resp.StatusCode, resp.Header, nil, x.wire.last.began))
		}
		return nil, x.failed(err)
	}
	x.wire.last.fresh = x.clock.learn(at, resp.Header, x.wire.last.began, time.Time{})
	return response.Read(resp, x.wire.last.began), nil
}

// secretFields are the fields of requests that carry a credential.
var secretFields = []string{"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "device_code",
	"assertion", "subject_token", "token"}
