package main

import (
	"log/slog"
	"time"

	"golang.org/x/oauth2"
	"k8s.io/client-go/transport"
	"k8s.io/klog/v2"
)

var clientGo = contender{
	name:   "client-go",
	about:  "k8s.io/client-go ResettableTokenSourceWrapTransport over NewCachedTokenSource; its source reports each end earlier by the lead",
	renews: true, sees401: true,
	fit: func(s setup) (fitted, error) {
		klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // it logs each failure
		cached := transport.NewCachedTokenSource(earlySource{oauth2Source{s.source}, s.lead})
		t := transport.ResettableTokenSourceWrapTransport(cached)(s.base)
		token, err := cached.Token()
		return fitted{RoundTripper: t, held: []any{t, cached, token}, close: nothing}, err
	},
}

// earlySource reports an end that is earlier, because NewCachedTokenSource has no setting for it.
type earlySource struct {
	oauth2Source
	lead time.Duration
}

func (s earlySource) Token() (*oauth2.Token, error) {
	t, err := s.oauth2Source.Token()
	if err == nil {
		t.Expiry = t.Expiry.Add(-s.lead)
	}
	return t, err
}
