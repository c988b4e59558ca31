package silentrefresh

import (
	"context"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// A Call is one call of an API that is not plain HTTP: it is made with a token and, where the API rejects that, once more
// with a newer one. It does for such a call what Transport does for a request, and counts in Status as one:
//
//	call := client.Call("/pkg.Service/Method")
//	for {
//		token, err := call.Token(ctx)
//		if err != nil {
//			return err
//		}
//		rejected, err := invoke(token)
//		if !rejected {
//			call.Served()
//			return err
//		}
//		if !call.Retry(ctx) {
//			return err
//		}
//	}
//
// Make it with Client.Call. Its methods may be called from several goroutines, though not usefully at the same time.
type Call struct {
	c        *Client
	endpoint string

	mu      sync.Mutex
	last    *state // whose token Token returned last
	open    bool   // the API has not rejected that token
	repeats int
}

// Call begins a call of an endpoint of the API, which is named by what its calls have in common, such as the full name
// of a method. An endpoint that rejects every token, for reasons of its own, is recognised by that name, and costs
// the others nothing.
func (c *Client) Call(endpoint string) *Call { return &Call{c: c, endpoint: endpoint} }

// Token returns the token to make the call with, and waits for one as Client.Token does. It may be called again before
// the API has responded: the last token counts.
func (a *Call) Token(ctx context.Context) (Token, error) {
	st, err := a.c.usableState(ctx, a.c.state.Load())
	if err != nil {
		return Token{}, err
	}
	a.c.touch()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last != nil && a.last.replacedBy(st) {
		return Token{}, overError("another account has logged in since")
	}
	a.last, a.open = st, true
	return a.c.token(st), nil
}

// Served says that the API took the token, whatever else came of the call. An API that rejects it later, in the middle of a
// stream, has rejected it anew.
func (a *Call) Served() {
	a.mu.Lock()
	st, repeated := a.last, a.open && a.repeats > 0
	a.repeats = 0
	a.mu.Unlock()
	if repeated {
		a.c.exonerate(st.generation, a.endpoint)
	}
}

// Retry says that the API rejected the token. It waits for a newer one, and reports whether to make the call again:
// once, and only if there is a newer token. Without a token that was rejected, it reports false.
func (a *Call) Retry(ctx context.Context) bool {
	st := a.rejected()
	if st == nil || a.c.successor(ctx, st) == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.repeats++
	return true
}

// Reject is Retry for a call that cannot be made again: nobody waits for the newer token.
func (a *Call) Reject() {
	if st := a.rejected(); st != nil {
		go a.c.renew(context.Background(), st.generation, TriggerRejected)
	}
}

// rejected records that the API rejected the last token. It returns the state of a token after which a renewal may
// follow, or nil.
func (a *Call) rejected() *state {
	a.mu.Lock()
	st, open, repeats := a.last, a.open, a.repeats
	a.open = false
	a.mu.Unlock()
	switch {
	case !open:
		return nil
	case repeats > 0 && !st.worthAnother(repeats):
		a.c.rejectedAgain(st.generation, a.endpoint)
		return nil
	case !a.c.reject(st.generation, st.session(), a.endpoint):
		return nil
	}
	return st
}

// worthAnother reports whether a rejected repeat with st's token was not the one that there is to be: what another
// process saved may be as dead as what we had.
func (st *state) worthAnother(repeats int) bool { return st.adopted && repeats <= 3 }

// successor waits for the token after st's, which the API has rejected. It returns nil if there is none to go on with.
func (c *Client) successor(ctx context.Context, st *state) *state {
	err := c.wait(auth.WithForeground(ctx), st.generation, TriggerRejected)
	next := c.state.Load()
	if err != nil || next.generation <= st.generation || !next.usable(time.Now()) || st.replacedBy(next) {
		return nil
	}
	c.counted.replays.Add(1)
	return next
}
