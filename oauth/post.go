package oauth

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// post sends a form to an endpoint that is not the token endpoint, as the client that we are (RFC 6749 section
// 2.3.1), and returns the response.
func (x *exchange) post(ctx context.Context, endpoint string, form url.Values) ([]byte, error) {
	secret := x.c.ClientSecret.Reveal()
	basic := x.endpoint.AuthStyle == oauth2.AuthStyleInHeader
	if !basic {
		form.Set("client_id", x.c.ClientID)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, x.mistake("an endpoint of the provider's is not a URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if basic {
		req.SetBasicAuth(url.QueryEscape(x.c.ClientID), url.QueryEscape(secret))
	}
	resp, err := x.hc.Do(req)
	if err != nil {
		return nil, x.failed(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, x.failed(err)
	}
	if resp.StatusCode/100 != 2 {
		var response struct {
			Error string `json:"error"`
		}
		json.Unmarshal(body, &response) // a response without a code is told by its status
		return nil, x.failed(&oauth2.RetrieveError{ErrorCode: response.Error})
	}
	return body, nil
}
