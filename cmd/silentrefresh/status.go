package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// report is what status says, with --json.
type report struct {
	silentrefresh.Status
	Stats   struct{} `json:"stats,omitzero"` // in place of the Client's, which count what this process does: nothing
	BaseURL string   `json:"base_url,omitempty"`
	Stored  string   `json:"stored,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// status says how the session stands. It sends nothing and changes nothing.
func status(_ context.Context, a *app) (err error) {
	if err := a.choose(); err != nil {
		return a.unchosen(err)
	}
	v, err := a.vault()
	if err != nil {
		return err
	}
	v.access = looking
	c, err := a.connect(v, func(silentrefresh.Event) {})
	if err != nil {
		return err
	}
	defer c.Close() // there is nothing to save
	st := c.Status()
	st.NextRefresh = nextRefresh(st)
	f := a.standing(st)
	if a.options.json {
		return a.printJSON(report{Status: st, BaseURL: a.profile.config.BaseURL, Stored: v.where()}, f)
	}
	a.printStatus(st, v.where())
	if f != nil {
		return f
	}
	return nil
}

// unchosen is the report where err says that there is no session to report on.
func (a *app) unchosen(err error) error {
	f := asFailure(err)
	if !a.options.json || f.code != exitLogin {
		return err
	}
	return a.printJSON(report{Status: silentrefresh.Status{
		State: silentrefresh.StateNone, Name: cmp.Or(a.options.session, "default"),
	}}, f)
}

// nextRefresh is when the token is due, at about 80 % of its life: this process will not be there to do it.
func nextRefresh(st silentrefresh.Status) time.Time {
	if st.Expires.IsZero() || !st.Renewable {
		return time.Time{}
	}
	return st.Expires.Add(-st.Expires.Sub(st.Issued) / 5)
}

// standing is nil if the session is well, or can be without a login.
func (a *app) standing(st silentrefresh.Status) *failure {
	if st.State.Healthy() {
		return nil
	}
	return a.failed(a.profile.label(), st.Err)
}

func (a *app) printJSON(r report, f *failure) error {
	if f != nil {
		r.Error = f.Error()
	}
	document, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n", document)
	if f != nil {
		return exitCode(f.code)
	}
	return nil
}

func (a *app) printStatus(st silentrefresh.Status, where string) {
	as := ""
	if st.Account != "" {
		as = " as " + st.Account
	}
	fmt.Fprintf(a.out, "%s%s: %s\n", a.profile.label(), as, standing(st))
	if st.State.Healthy() {
		fmt.Fprintf(a.out, "  token    %s\n", tokenStanding(st))
		fmt.Fprintf(a.out, "  session  %s\n", sessionLife(st))
	}
	fmt.Fprintf(a.out, "  stored   %s\n", where)
}

func tokenStanding(st silentrefresh.Status) string {
	now := time.Now()
	switch {
	case st.State == silentrefresh.StateOffline:
		return "none that is valid; the next request renews it"
	case st.Expires.IsZero():
		return "of unknown lifetime, renewed when the server refuses it"
	}
	until := fmt.Sprintf("until %s by its lifetime (%s left)", clock(st.Expires), span(st.Expires.Sub(now)))
	switch {
	case !st.Renewable:
		return until + "; nothing will renew it"
	case now.Before(st.NextRefresh):
		return until + ", next refresh about " + clock(st.NextRefresh)
	}
	return until + ", due for a refresh"
}
