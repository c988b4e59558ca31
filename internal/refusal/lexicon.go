package refusal

import (
	"strings"
	"sync"
)

// A wordSet is a set of words that is made when it is first used: most programs never see a refusal.
type wordSet struct {
	list  string // which spaces separate
	once  sync.Once
	words map[string]bool
}

// set returns the set of the words in list.
func set(list string) *wordSet { return &wordSet{list: list} }

func (s *wordSet) all() map[string]bool {
	s.once.Do(func() {
		s.words = map[string]bool{}
		for _, word := range strings.Fields(s.list) {
			s.words[word] = true
		}
	})
	return s.words
}

func (s *wordSet) has(word string) bool { return s.all()[word] }

// The words that the grammar of clause.go knows. Every other word is passed over.
var (
	// deadWords say by themselves that something is of no use any more.
	deadWords = set(`invalid expired revoked reused claimed unknown ended incorrect wrong bad inactive
		blacklisted blocklisted denylisted terminated closed destroyed deleted removed malformed mismatch mismatched
		consumed spent withdrawn redeemed rotated replaced superseded cancelled canceled dead stale gone nonexistent illegal
		unrecognized unrecognised unusable compromised lapsed elapsed finished invalidated timeout outdated obsolete
		void reuse disabled deactivated`)
	// liveWords say so if they are negated: "not valid".
	liveWords = set(`valid active found find locate exist exists existing recognized recognised known match
		matches matching usable accepted alive live`)
	// reuseWords say so of something that can be used once: "already used".
	reuseWords = set(`used exchanged presented consumed`)
	// kept are where a server has what it knows.
	kept = set(`database db store cache list records whitelist allowlist registry system`)
	// attributes stand before what they are about; the other dead words follow it.
	attributes = set(`invalid expired revoked unknown incorrect wrong bad inactive malformed illegal
		unrecognized unrecognised stale dead nonexistent blacklisted reused used missing invalidated outdated obsolete
		        `)
	negations = set(`not no never unable failed`)
	// between stand between a negation and what it negates.
	between = set(`a an the been be have has had any is are yet longer was were contain find to does`)
	// links stand between what something is said of and what is said.
	links = set(`is are was were has have had been be being already or and either may might must passed
		provided supplied presented given specified sent submitted received appears seems appear to now both does do
		did itself no longer not can could probably just also value`)
	// joints stand between an attribute and what it is of.
	joints = set(`or and the a an your this that of for provided supplied given presented specified submitted
		old current value either missing such existing`)
	// passives before a claim make it one about the subject; an article after it makes it one about the object.
	passives     = set(`is are was were be been being`)
	articles     = set(`the this that your a an`)
	prepositions = set(`for of by in from with to on at within under through via into between`)
)

// Nouns. What a clause says is about one of them.
var (
	// strongQualifiers before "token" leave no doubt that it is the credential; weakQualifiers leave some.
	strongQualifiers = set(`refresh session login rotating renewal offline remember`)
	weakQualifiers   = set(`auth authentication authorization bearer user web json jwt oauth oauth2 id opaque
		new old account`)
	// otherTokens are tokens of another kind.
	otherTokens = set(`csrf xsrf captcha recaptcha hcaptcha turnstile security service api device push client
		app application verification invite invitation reset activation confirmation authenticity antiforgery forgery
		request upstream gateway edge registration email server machine otp totp mfa challenge identity internal
		backend deploy personal project partner tenant instance management`)
	// otherSessions are sessions of another kind.
	otherSessions = set(`tls ssl database db sql mfa checkout payment upload game socket websocket ldap smtp
		ssh backend upstream hibernate`)
	// tails may follow a credential's name without changing what is meant: "session id".
	tails = set(`id identifier cookie value string family handle data hash record signature pair credential
		credentials jwt grant chain token key`)
	// otherNouns are what clauses may be about instead.
	otherNouns = set(`request client parameter parameters param params argument arguments fields headers
		options settings field header body json payload format url uri redirect scope scopes audience issuer key
		secret username email mail password credentials code address ip region country license licence certificate
		cert subscription plan tenant captcha csrf xsrf origin domain host method type version page resource endpoint
		route path device pin otp passcode state nonce verifier input server service api permission permissions role
		limit rate quota clock timestamp store storage database connection config configuration algorithm kid trial
		membership product order file object item record entity organization organisation workspace company project
		application app syntax content operation action query mutation feature policy provider idp realm issuance
		exchange lookup validation verification creation revocation list check retrieval introspection persistence
		manager handler middleware cache plugin protocol expiration expiry`)
	// signIns are what ends with a session, if it is said to have ended.
	signIns = set(`login logon signin authentication authorization authorisation credential credentials
		access`)
	// endings are how a sign-in ends: an "invalid login" may be a wrong password.
	endings = set(`expired revoked ended timeout terminated stale lapsed elapsed`)
	// qualifiers before a session say whose it is.
	qualifiers = set(`refresh user client offline login auth authentication oauth sso web browser app bearer`)
	// people are who a session belongs to, and gone how they end one: who is locked out may be let in again.
	people = set(`user account principal member users`)
	gone   = set(`deleted removed inactive unknown nonexistent deactivated disabled closed terminated gone
		found exist exists active`)
	conditions = set(`if when unless until before after once while must should whether will`)
	sessions   = set(`session sessions grant`)
	tokens     = set(`token tokens jwt jws`)
)

// segments are what words without any joints are made of, as in "refreshtokenexpired".
var segments = sync.OnceValue(func() map[string]bool {
	all := set(`bad refresh token session grant jwt user account client already not found error exception auth
		access api key login required disabled secret web json too many requests rate limited limit scope type
		unsupported request unauthorized unauthenticated authenticated forbidden denied credentials temporarily
		unavailable reuse detected server internal csrf password locked license subscription the has been is was used`).all()
	for _, more := range []*wordSet{deadWords, liveWords, tokens, sessions} {
		for word := range more.all() {
			if len(word) > 3 {
				all[word] = true
			}
		}
	}
	return all
})
