package acceptance

import (
	"net/http"
	"sync"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// Requests that queue for a connection when the token is revoked are not sent to be rejected: at most those that are on
// a connection are.
func TestF07_RequestsThatQueueForAConnectionGetTheNextToken(t *testing.T) {
	const requests, connections = 400, 32
	server := authtest.NewServer(t, authtest.Config{})
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxConnsPerHost, base.MaxIdleConnsPerHost = connections, connections
	client := newClient(t, server, func(cfg *silentrefresh.Config, _ *endpoint.Settings) { cfg.Base = base })
	if err := client.Login(t.Context(), credentials); err != nil {
		t.Fatal(err)
	}
	server.RevokeAccess()
	before := server.Counters()
	start := make(chan struct{})
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			<-start
			if status := send(t, client, "GET", server.URL()+"/me"); status != 200 {
				t.Errorf("status %d", status)
			}
		})
	}
	close(start)
	all.Wait()
	n := server.Counters()
	if rejected := n.APIUnauthorized - before.APIUnauthorized; rejected > 2*connections || n.Refreshes != before.Refreshes+1 {
		t.Errorf("%d of %d requests were sent in vain over %d connections, with %d refreshes", rejected, requests, connections, n.Refreshes-before.Refreshes)
	}
}
