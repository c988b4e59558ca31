// Package record is a session as it stands in a Store.
package record

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/display"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// A Record is a session as it stands in the Store. It is not changed once others have it.
type Record struct {
	Session auth.Session
	// Login is drawn anew at each login: two records of the same login are versions of one session.
	Login string
	// Version counts the saves of the exchanges since that login.
	Version uint64
	// Spending is when the credential was presented by somebody who has not written down a response; nil if the
	// credential is not known to be spent.
	Spending *time.Time
	// Over says why only a login helps, "" while the session lives.
	Over string
	// Replaces is what the Store had when this login began, as LoginOf says it; Unseen where nobody has looked, Login once the
	// Store has had this, and HandedOut where an API response gave what the Store does not have of it. Not written down.
	Replaces string
}

// HandedOut stands in Replaces of a record that holds what an API response gave, beyond what the Store has of its
// version.
const HandedOut = "+"

// Handed reports whether r holds what an API response gave, beyond what the Store has of this version.
func (r *Record) Handed() bool { return r.Replaces == HandedOut }

// Spent reports whether the credential may be spent.
func (r *Record) Spent() bool { return r.Spending != nil }

// Spend notes that the credential is presented at that time, for a record that nobody else has yet.
func (r *Record) Spend(at time.Time) {
	at = wall.Recordable(at.Round(0))
	r.Spending = &at
}

// Newer reports whether r comes after o: another login, or a later version of the same.
func (r *Record) Newer(o *Record) bool {
	return o == nil || r.Login != o.Login || r.Version > o.Version
}

// With is the version of r that holds s.
func (r *Record) With(s auth.Session) *Record {
	s.Account = display.Name(s.Account)
	return &Record{Session: s, Login: r.Login, Version: r.Version + 1}
}

// EndedAt is r with a token that has ended.
func (r *Record) EndedAt(t time.Time) *Record {
	ended := *r
	ended.Session.Expires = t
	return &ended
}

// New is the first version of a login. Whoever names its account, the name can be shown as it is.
func New(s auth.Session) *Record {
	s.Account = display.Name(s.Account)
	return &Record{Session: s, Login: rand.Text(), Version: 1, Replaces: Unseen}
}

// SameAccount reports whether two sessions may belong to one account: nothing known speaks against it.
func SameAccount(a, b auth.Session) bool {
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
	Format   int        `json:"format"`
	Login    string     `json:"login"`
	Version  uint64     `json:"version"`
	Spending *time.Time `json:"spending,omitempty"`
	Over     string     `json:"over,omitempty"`
	Access   string     `json:"access_token,omitempty"`
	Refresh  string     `json:"refresh_token,omitempty"`
	Cookies  []Cookie   `json:"cookies,omitempty"`
	Subject  string     `json:"subject,omitempty"`
	Account  string     `json:"account,omitempty"`
	Issued   *time.Time `json:"issued,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
	Ends     *time.Time `json:"ends,omitempty"`
	Limit    *time.Time `json:"limit,omitempty"`
	CSRF     string     `json:"csrf,omitempty"`
	Extra    string     `json:"extra,omitempty"`
}

// Encode writes r down. The access token stays out with memoryOnly, the response always.
func (r *Record) Encode(memoryOnly bool) ([]byte, error) {
	s := r.Session
	w := written{
		Format: recordFormat, Login: r.Login, Version: r.Version, Over: r.Over, Spending: r.Spending,
		Access: s.AccessToken.Reveal(), Refresh: s.RefreshToken.Reveal(), Cookies: EncodeCookies(s.Cookies),
		Subject: s.Subject, Account: s.Account,
		Issued: stamp(wallTime(s.Issued)), Expires: stamp(wallTime(s.Expires)), Ends: stamp(s.Ends), Limit: stamp(s.Limit),
		CSRF: s.CSRF.Reveal(), Extra: s.Extra.Reveal(),
	}
	if memoryOnly {
		w.Access = ""
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write the session down: %w", err)
	}
	return pad(b, r.Spent()), nil
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

// Decode reads what encode wrote: nil for nothing and for a tombstone.
func Decode(b []byte) (*Record, error) {
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
	r := &Record{Login: w.Login, Version: w.Version, Over: w.Over, Spending: w.Spending}
	r.Session = auth.Session{
		AccessToken: auth.NewSecret(w.Access), RefreshToken: auth.NewSecret(w.Refresh), Cookies: DecodeCookies(w.Cookies),
		Subject: w.Subject, Account: display.Name(w.Account),
		Issued: localTime(unstamp(w.Issued)), Expires: localTime(unstamp(w.Expires)), Ends: unstamp(w.Ends), Limit: unstamp(w.Limit),
		CSRF: auth.NewSecret(w.CSRF), Extra: auth.NewSecret(w.Extra),
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

// What LoginOf says of a Store that has no login.
const (
	Nothing   = ""  // nothing was ever saved
	Tombstone = "-" // somebody has logged out
	Unseen    = "*" // it cannot be read, or nobody has looked
)

// LoginOf is the login of what the Store has, or Nothing, Tombstone or Unseen.
func LoginOf(stored []byte) string {
	r, err := Decode(stored)
	switch {
	case err != nil:
		return Unseen
	case r != nil:
		return r.Login
	case stored != nil:
		return Tombstone
	}
	return Nothing
}

// VersionOf is the version of what the Store has, 0 if there is none.
func VersionOf(stored []byte) uint64 {
	r, err := Decode(stored)
	if err != nil || r == nil {
		return 0
	}
	return r.Version
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
