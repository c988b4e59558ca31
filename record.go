package silentrefresh

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// A record is a session as it stands in the Store. It is immutable.
type record struct {
	session Session
	// login is drawn anew at each login: two records of the same login are versions of one session.
	login string
	// version counts the saves of the exchanges since that login.
	version uint64
	// spending is when the credential was presented by somebody who has not written down an answer; zero if
	// the credential is not known to be spent.
	spending time.Time
	// over says why only a login helps, "" while the session lives.
	over string
	// handed: it holds what an API answer gave, beyond what the Store has of this version. Not written down.
	handed bool
	// replaces is the login that the Store had when this one began, "" for none, "*" where nobody has looked. Not
	// written down.
	replaces string
}

// newer reports whether r comes after o: another login, or a later version of the same.
func (r *record) newer(o *record) bool {
	return o == nil || r.login != o.login || r.version > o.version
}

// with is the version of r that holds s.
func (r *record) with(s Session) *record {
	return &record{session: s, login: r.login, version: r.version + 1}
}

// endedAt is r with a token that has ended.
func (r *record) endedAt(t time.Time) *record {
	ended := *r
	ended.session.Expires = t
	return &ended
}

func newRecord(s Session) *record {
	return &record{session: s, login: rand.Text(), version: 1, replaces: "*"}
}

// sameAccount reports whether two sessions may belong to one account: nothing known speaks against it.
func sameAccount(a, b Session) bool {
	if a.Subject != "" && b.Subject != "" {
		return a.Subject == b.Subject
	}
	return a.Account == "" || b.Account == "" || strings.EqualFold(a.Account, b.Account)
}

const (
	recordFormat = 1
	// recordStep rounds a record's size up, so that the intent to spend is as long as what will replace it, and
	// writing it proves that the disk has room.
	recordStep = 1024
)

var errRecordFormat = errors.New("the stored session was written by a newer version of this program; update it, or log in again")

// written is the record's form in the Store, which encrypts it.
type written struct {
	Format   int            `json:"format"`
	Login    string         `json:"login"`
	Version  uint64         `json:"version"`
	Spending *time.Time     `json:"spending,omitempty"`
	Over     string         `json:"over,omitempty"`
	Access   string         `json:"access_token,omitempty"`
	Refresh  string         `json:"refresh_token,omitempty"`
	Cookies  []cookieRecord `json:"cookies,omitempty"`
	Subject  string         `json:"subject,omitempty"`
	Account  string         `json:"account,omitempty"`
	Issued   *time.Time     `json:"issued,omitempty"`
	Expires  *time.Time     `json:"expires,omitempty"`
	Ends     *time.Time     `json:"ends,omitempty"`
	CSRF     string         `json:"csrf,omitempty"`
	Extra    string         `json:"extra,omitempty"`
}

// encode writes r down. The access token stays out with memoryOnly, the answer always.
func (r *record) encode(memoryOnly bool) ([]byte, error) {
	s := r.session
	w := written{
		Format: recordFormat, Login: r.login, Version: r.version, Over: r.over, Spending: stamp(r.spending),
		Access: s.AccessToken.Reveal(), Refresh: s.RefreshToken.Reveal(), Cookies: encodeCookies(s.Cookies),
		Subject: s.Subject, Account: s.Account,
		Issued: stamp(wallTime(s.Issued)), Expires: stamp(wallTime(s.Expires)), Ends: stamp(s.Ends),
		CSRF: s.CSRF.Reveal(), Extra: s.Extra.Reveal(),
	}
	if memoryOnly {
		w.Access = ""
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write the session down: %w", err)
	}
	return pad(b, !r.spending.IsZero()), nil
}

// pad fills up to a whole number of steps with spaces, which JSON ignores; one step more for an intent, since what
// replaces it may be a little longer.
func pad(b []byte, intent bool) []byte {
	n := recordStep - len(b)%recordStep
	if intent {
		n += recordStep
	}
	return append(b, bytes.Repeat([]byte{' '}, n)...)
}

// decodeRecord reads what encode wrote: nil for nothing and for a tombstone.
func decodeRecord(b []byte) (*record, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var w written
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, errors.New("the stored session is damaged; log in again, or restore it") // the cause quotes secrets
	}
	if w.Format != recordFormat {
		return nil, errRecordFormat
	}
	r := &record{login: w.Login, version: w.Version, over: w.Over, spending: unstamp(w.Spending)}
	r.session = Session{
		AccessToken: NewSecret(w.Access), RefreshToken: NewSecret(w.Refresh), Cookies: decodeCookies(w.Cookies),
		Subject: w.Subject, Account: w.Account,
		Issued: localTime(unstamp(w.Issued)), Expires: localTime(unstamp(w.Expires)), Ends: unstamp(w.Ends),
		CSRF: NewSecret(w.CSRF), Extra: NewSecret(w.Extra),
	}
	return r, nil
}

// wallTime is what others read a time of this process's clock as.
func wallTime(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return wall.Stamp(t)
}

// localTime undoes wallTime.
func localTime(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return wall.Read(t)
}

// loginOf is the login of what the Store has, "" if it has none, "*" if it cannot be read.
func loginOf(stored []byte) string {
	r, err := decodeRecord(stored)
	switch {
	case err != nil:
		return "*"
	case r == nil:
		return ""
	}
	return r.login
}

func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = wall.Recordable(t.Round(0))
	return &t
}

func unstamp(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
