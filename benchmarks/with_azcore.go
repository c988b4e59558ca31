package main

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

var azcorePolicy = contender{
	name: "azcore",
	about: "Azure azcore BearerTokenPolicy with OnChallenge in a pipeline without retries, telemetry and body download; RefreshOn set to the lead " +
		"(it renews ahead at most once in 30 s, and that cannot be set)",
	renews: true, sees401: true, replays: true,
	fit: func(s setup) (fitted, error) {
		cred := azureCredential{s.source, s.lead}
		bearer := runtime.NewBearerTokenPolicy(cred, nil, &policy.BearerTokenOptions{
			InsecureAllowCredentialWithHTTP: true,
			AuthorizationHandler: policy.AuthorizationHandler{
				OnChallenge: func(_ *policy.Request, resp *http.Response, authorize func(policy.TokenRequestOptions) error) error {
					runtime.Drain(resp) // give the connection back before waiting
					return authorize(policy.TokenRequestOptions{})
				},
			},
		})
		pipeline := runtime.NewPipeline("benchmarks", "v1", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}},
			&policy.ClientOptions{
				Transport: azureTransporter(s.below()),
				Retry:     policy.RetryOptions{MaxRetries: -1},
				Telemetry: policy.TelemetryOptions{Disabled: true},
			})
		token := azcore.AccessToken{Token: s.source.first.Load().token}
		return fitted{RoundTripper: azureRoundTripper(pipeline), held: []any{bearer, pipeline, token}, close: nothing}, nil
	},
}

// azureRoundTripper lends a pipeline the caller's request: azcore writes to the headers of the one it is given.
func azureRoundTripper(p runtime.Pipeline) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		clone := *req
		clone.Header = maps.Clone(req.Header)
		if clone.Header == nil {
			clone.Header = http.Header{}
		}
		r, err := runtime.NewRequestFromRequest(&clone)
		if err != nil {
			return nil, err
		}
		runtime.SkipBodyDownload(r)
		resp, err := p.Do(r)
		if err != nil && resp != nil { // azcore returns both when a challenge could not be met
			resp.Body.Close()
			return nil, err
		}
		return resp, err
	}
}

type azureTransporter func(*http.Request) (*http.Response, error)

func (t azureTransporter) Do(req *http.Request) (*http.Response, error) { return t(req) }

// azureCredential is the application's azcore.TokenCredential.
type azureCredential struct {
	*source
	lead time.Duration
}

func (c azureCredential) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	g, err := c.next(ctx)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return azcore.AccessToken{Token: g.token, ExpiresOn: g.expires, RefreshOn: g.expires.Add(-c.lead)}, nil
}
