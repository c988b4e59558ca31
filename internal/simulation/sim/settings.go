package sim

import "time"

// slots is how many clients there may be at a time.
const slots = 4

// settings are those of the world and of its clients. The zero settings are dull; each step doSet changes one.
type settings struct {
	ttl      time.Duration // lifetime of access tokens; 0: unknown
	latency  time.Duration // of an exchange, at most
	grace    time.Duration // within which a spent credential is taken again
	yields   bool          // the engine's goroutines do not run as far as they could at a time
	noRotate bool          // a credential is good until the session ends
	lenient  bool          // reuse is refused and does not end the session
	inPlace  bool          // a token is renewed in place: the same one lives longer
	bareName bool          // logins give no access token: the first refresh does

	http       bool // the Exchanger is the engine's own, over HTTP
	cookie     bool // over HTTP, the refresh token is a cookie
	store      bool
	memoryOnly bool
	relogin    bool // Credentials are set
	document   bool // responses have a document, which comes with the event
	judge      bool // Rejected is set
	foresight  bool // the simulation's Exchanger says what can be renewed
	xToken     bool // the token travels in X-Token
	oneConn    bool // there is one connection for API and auth server together

	lengthHeader bool // it is to travel in Content-Length

	timeout, maxWait, margin, maxAge, idle time.Duration

	path [slots]string        // behind the origin, in BaseURL
	skew [slots]time.Duration // of the machine's clock

	lease      time.Duration // by which a lock in the Store outlives its holder at most; it is the Store's own
	storeDelay time.Duration // by which the Store and user code hold people up, all in all
}

// defaultTimeout and defaultMaxWait are the engine's.
const (
	defaultTimeout = 30 * time.Second
	defaultMaxWait = 10 * time.Second
)

// settingsOf are the settings that a plan's steps make.
func settingsOf(p plan) settings {
	set := settings{ttl: 10 * time.Minute, latency: 100 * time.Millisecond}
	for _, s := range p.steps {
		switch s.do {
		case doSet:
			set.apply(s)
		case doStore, doUser, doCut, doStop:
			set.storeDelay += s.dur * time.Duration(max(1, s.n))
		}
	}
	if !set.silly() { // exchanges must be able to succeed
		set.latency = min(set.latency, set.exchange()/2)
	}
	return set
}

func (set *settings) apply(s step) {
	switches := map[string]*bool{
		"yields":      &set.yields,
		"no rotation": &set.noRotate, "lenient": &set.lenient, "in place": &set.inPlace, "login without token": &set.bareName,
		"http": &set.http, "cookie": &set.cookie, "store": &set.store, "memory only": &set.memoryOnly,
		"credentials": &set.relogin, "document": &set.document, "rejection check": &set.judge, "renewable check": &set.foresight,
		"x-token": &set.xToken, "one connection": &set.oneConn, "silly header": &set.lengthHeader,
	}
	durations := map[string]*time.Duration{
		"ttl": &set.ttl, "latency": &set.latency, "grace": &set.grace, "timeout": &set.timeout, "max wait": &set.maxWait,
		"silly timeout": &set.timeout, "silly margin": &set.margin, "silly max age": &set.maxAge, "margin": &set.margin, "max age": &set.maxAge, "idle stop": &set.idle, "skew": &set.skew[s.who],
	}
	switch {
	case switches[s.what] != nil:
		*switches[s.what] = true
	case durations[s.what] != nil:
		*durations[s.what] = s.dur
	case s.what == "realm":
		set.path[s.who] = "/realms/b"
	}
}

// patience is how long anybody may wait for a token without a deadline of their own: MaxWait, and one exchange.
func (set settings) patience() time.Duration {
	wait := max(set.maxWait, 0)
	if set.maxWait == 0 {
		wait = defaultMaxWait
	}
	return wait + set.exchange()
}

// silly reports whether there is a setting that nobody can mean, such as a duration of somebody who forgot the unit.
func (set settings) silly() bool {
	if set.lengthHeader {
		return true
	}
	for _, d := range []time.Duration{set.timeout, set.margin, set.maxAge, set.maxWait, set.idle} {
		if d > 0 && d < time.Millisecond {
			return true
		}
	}
	return false
}

// exchange is how long one exchange may take.
func (set settings) exchange() time.Duration {
	if set.timeout == 0 {
		return defaultTimeout
	}
	return set.timeout
}
