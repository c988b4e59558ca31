package refusal

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// phrases are what texts are searched for. They are taken apart when that is done for the first time.
type phrases struct {
	list string // which commas separate
	once sync.Once
	all  []string
}

// list returns the phrases in text.
func list(text string) *phrases { return &phrases{list: text} }

// in reports whether one of the phrases is in text, which spaced has made.
func (p *phrases) in(text string) bool {
	p.once.Do(func() {
		for phrase := range strings.SplitSeq(p.list, ",") {
			p.all = append(p.all, " "+strings.Join(strings.Fields(phrase), " ")+" ")
		}
	})
	return slices.ContainsFunc(p.all, func(phrase string) bool { return strings.Contains(text, phrase) })
}

// reasons are what may be refused beside the credential, and the phrases that tell. The first that fits counts.
var reasons = []struct {
	meaning Meaning
	phrases *phrases
}{
	{CSRF, list(`csrf, xsrf, request forgery, antiforgery, anti forgery, authenticity token`)},
	{Busy, list(`too many, rate limit, rate limited, ratelimit, ratelimited, rate limiting, rate exceeded, limit exceeded,
		limit reached, quota, throttled, throttling, throttle, slow down, slowdown, request loop, concurrent
		sessions, maximum number of, resource exhausted`)},
	{Fault, list(`temporarily, temporary, try again later, try later, retry later, try again in, maintenance, overloaded,
		overload, transient, server error, internal error, internal server error, service unavailable, unavailable,
		unreachable, could not reach, can not reach, unable to reach, could not connect, connection refused,
		connection timed out, request timed out, deadline exceeded, connection reset, connection closed, failed to
		fetch, gateway, upstream, out of service, please wait, later anew`)},
	{Clock, list(`clock, skew, skewed, not yet valid, not valid yet, not active yet, not yet active, nbf, iat, too early, used
		before issued, in the future, system time, signature expired`)},
	{Client, list(`tenant, app id, app secret, consumer key, api key, apikey, api keys, key api, subscription key, app key,
		client, application, license, licence, certificate, redirect uri, grant type, scope, scopes, subscription,
		trial, billing, payment, plan, service account, service credentials, unmet authentication
		requirements, mutual tls, mtls, hmac, request signature`)},
	{Blocked, list(`country, countries, region, regions, territory, geo, geoblocked, location, ip, ips, ip address, vpn, proxy,
		firewall, waf, captcha, recaptcha, hcaptcha, turnstile, human, security check, incapsula, imperva, bot,
		bots, robot, cloudflare, akamai, ray id, rbac, unusual traffic, suspicious activity, suspicious, blocked,
		security token, missing authentication token, network, origin, cross origin, cross site, referer, referrer,
		allowlist, whitelist, host not allowed, domain not allowed, hostname not allowed, security policy,
		administrative rules, explicit deny, not authorized to access this resource, challenge, 401 authorization
		required, embargo, sanctions`)},
	{Locked, list(`locked, lockout, suspended, password expired, password has expired, password is expired, expired password,
		password must be changed, password must be reset, change your password, reset your password, password reset,
		password change, change password, new password, terms of service, terms of use, terms not accepted, accept the
		terms, email not verified, email is not verified, verify your email, email verification, mfa required, otp
		required, factor required, factor authentication required, factor authentication is required`)},
}

// blameless takes out words that blame no clock: what is said of a token's end with a reserve, and the signature of a JWT,
// which ends with it.
var blameless = strings.NewReplacer("allowed clock skew", "", "jwt signature expired", "")

// edgeError is how Cloudflare numbers what it refuses.
var edgeError = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(` error (code )?10[0-3]\d `) })

// foreign is what else than the credential a text blames; Unrecognized if nothing.
func foreign(words []string) Meaning {
	words = slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == pause })
	text := blameless.Replace(spaced(words))
	if edgeError().MatchString(text) {
		return Blocked
	}
	for _, r := range reasons {
		if r.phrases.in(text) {
			return r.meaning
		}
	}
	return Unrecognized
}

// protective are codes that never end a session, whatever the text beside them says: RFC 6749 sections 4.1.2.1 and 5.2,
// RFC 6750 section 3.1, RFC 8628 section 3.5, and what servers say in their place.
var protective = sync.OnceValue(func() map[string]Meaning {
	codes := map[string]Meaning{}
	for meaning, list := range map[Meaning]string{
		Client: `invalidclient unauthorizedclient unsupportedgranttype invalidscope insufficientscope unsupportedresponsetype
			invalidapikey invalidclientid invalidclientsecret unknownclient clientnotfound invalidredirecturi
			redirecturimismatch invalidtarget adminpolicyenforced orginternal deletedclient disabledclient`,
		Fault: `servererror temporarilyunavailable internalservererror internalerror serviceunavailable unavailable
			badgateway gatewaytimeout overloaded maintenance`,
		Busy: `slowdown toomanyrequests ratelimited ratelimitexceeded ratelimiterror throttled throttling
			throttlingexception quotaexceeded resourceexhausted requestlimitexceeded limitexceededexception`,
	} {
		for _, code := range strings.Fields(list) {
			codes[code] = meaning
		}
	}
	return codes
})

// definite are codes that refuse the credential for good without naming it: OpenID Connect Core section 3.1.2.6, and a
// server that calls the refresh token a code.
var definite = set(`loginrequired interactionrequired consentrequired accountselectionrequired reauthrequired
	reauthenticationrequired invalidrapt invalidcode`)

// signInAgain are phrases that ask for what only helps if the session is over.
var signInAgain = list(`log in again, login again, log on again, sign in again, signin again, relogin, re login,
	reauthenticate, re authenticate, reauthentication, login required, please log in, please login,
	please sign in, must be logged in, must log in, must login, must sign in, not logged in, not
	signed in, logged out, signed out, no longer logged in, no longer signed in, json web token error,
	login anew, anew login, anew a login, anew l access, log anew in, neu login, bitte login, melden sie sich`)
