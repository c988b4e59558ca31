// Package auth is the vocabulary that the engine, the exchangers and the stores share: a Session and the Secrets and
// Cookies in it, the Grant that is exchanged for the next one, the Exchanger that does so, and the Error that says what
// its failure means. It knows nothing of timers, flights or HTTP login endpoints.
//
// To keep a client logged in, use package silentrefresh. This package is for those who bring a session of their own
// (silentrefresh.Client.Resume), or who write an Exchanger for a server that package endpoint cannot talk to. What else
// an Exchanger may be able to do stands in interfaces of its own, from RenewalChecker to RequestSigner.
package auth
