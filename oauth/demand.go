package oauth

import (
	"bytes"
	"errors"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// A demand is what a server insists on for a client without saying so in its metadata. It is found out by a request that
// was refused, and remembered for the next.
type demand struct {
	push  bool // pushed authorization requests (RFC 9126 section 6)
	proof bool // bound tokens (RFC 9449 section 5.2)
}

func (x *exchange) demand() demand {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.demands[x.place]
}

func (x *exchange) insist(change func(*demand)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.demands == nil {
		x.demands = map[place]demand{}
	}
	d := x.demands[x.place]
	change(&d)
	x.demands[x.place] = d
}

// betterWay reports whether the login that ended with err may succeed in another way, and sees to that: with a client
// that is registered anew, with a pushed request, or with a proof from the beginning.
func (x *exchange) betterWay(err error) bool {
	e, ok := errors.AsType[*auth.Error](err)
	switch {
	case !ok:
		return false
	case x.forgotten(e):
		x.forget()
		return true
	case x.late && e.Refused: // the code was spent by the request without a proof
		x.late = false
		return true
	case e.Code == "invalid_grant" && len(x.DPoPAlgorithms) > 0 && x.provable():
		return true // a code that has just come is good, so the server may have wanted a proof and not say so
	case e.Code != "invalid_request" || x.authorizeAt == nil || e.Path != x.authorizeAt.Path,
		x.PushedRequestEndpoint == "", x.pushes():
		return false
	}
	x.insist(func(d *demand) { d.push = true })
	return true
}

// pushes reports whether authorization requests go over the back channel first.
func (x *exchange) pushes() bool {
	return x.RequiresPushedRequests || x.c.PushRequests || x.demand().push
}

// proveBetter reports whether the request that r refuses may pass with another proof, or with one at all, and sees to
// that.
func (x *exchange) proveBetter(r *response.Response, code string) bool {
	if x.proof != nil {
		return (code == "use_dpop_nonce" || code == "invalid_dpop_proof") && x.wire.last.fresh // else it would be the same proof
	}
	if r.Status >= 500 || !bytes.Contains(bytes.ToLower(r.Body), []byte("dpop")) || !x.provable() {
		return false
	}
	x.late = true
	return true
}

// provable reports whether the login can go on with a key that nobody has asked for, and makes it.
func (x *exchange) provable() bool {
	if x.c.DPoP != DPoPAuto || x.op != auth.KindLogin || x.proof != nil {
		return false
	}
	key, err := newProofKey(x.DPoPAlgorithms)
	if err != nil {
		return false
	}
	x.proof = key
	x.insist(func(d *demand) { d.proof = true })
	return true
}
