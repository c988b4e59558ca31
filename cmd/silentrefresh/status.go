package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// A report is what status says of one session.
type report struct {
	silentrefresh.Status
	Stats   struct{} `json:"stats,omitzero"` // in place of the Client's, which count what this process does: nothing
	BaseURL string   `json:"base_url,omitempty"`
	Stored  string   `json:"stored,omitempty"`
	Error   string   `json:"error,omitempty"`
	Do      string   `json:"do,omitempty"`

	failure *failure // nil if the session is well, or can be without a login
	label   string
}

// status says how the sessions stand: all of them, or the one that is named, or the only one. It sends nothing and changes
// nothing.
func status(_ context.Context, a *app) error {
	all, unread, err := a.profiles()
	if err != nil {
		return err
	}
	switch {
	case a.options.json:
		return a.statusJSON(all)
	case !a.named() && a.options.config == "" && len(all) > 1:
		return cmp.Or(unread, a.statusOfAll(all))
	}
	if err := a.choose(); err != nil {
		return err
	}
	r, err := a.look(a.profile)
	if err != nil {
		return err
	}
	a.printStatus(r)
	return r.verdict()
}

// verdict is what the report means for the exit status.
func (r *report) verdict() error {
	if r.failure != nil {
		return r.failure
	}
	return nil
}

// look reports on the session of p.
func (a *app) look(p *profile) (*report, error) {
	one := *a
	one.profile = p
	if err := one.overrule(); err != nil {
		return nil, err
	}
	v, err := one.vault()
	if err != nil {
		return nil, err
	}
	v.access = looking
	c, err := one.connect(v, func(silentrefresh.Event) {})
	if err != nil {
		return nil, err
	}
	defer c.Close() // there is nothing to save
	r := &report{Status: c.Status(), BaseURL: p.config.BaseURL, Stored: v.where(), label: p.label()}
	r.NextRefresh = nextRefresh(r.Status)
	if !r.State.Healthy() {
		r.failure = one.failed(p.label(), r.Err)
		r.Error, r.Do = r.failure.Error(), r.failure.do
	}
	return r, nil
}

// lookAtAll reports on all sessions, and says what they mean together for the exit status.
func (a *app) lookAtAll(all []*profile) (reports []*report, worst error, err error) {
	rank := []int{exitLogin, exitFailed, exitPasses}
	least := len(rank)
	for _, p := range all {
		r, err := a.look(p)
		if err != nil {
			return nil, nil, err
		}
		reports = append(reports, r)
		if f := r.failure; f != nil && slices.Index(rank, f.code) < least {
			least, worst = slices.Index(rank, f.code), exitCode(f.code)
		}
	}
	return reports, worst, nil
}

// statusOfAll prints a table, and below it what is wrong.
func (a *app) statusOfAll(all []*profile) error {
	reports, worst, err := a.lookAtAll(all)
	if err != nil {
		return err
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tSERVER\tSTATE\tTOKEN")
	for _, r := range reports {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Name, r.BaseURL, standing(r.Status), tokenLeft(r.Status))
	}
	if err := table.Flush(); err != nil {
		return a.failed("the table was not made", err)
	}
	a.printTable(text.String(), reports)
	for _, r := range reports {
		if r.failure != nil {
			r.failure.print(a.err)
		}
	}
	return worst
}

// printTable prints the table of reports, with its states in colour.
func (a *app) printTable(table string, reports []*report) {
	i := -1 // the title
	for line := range strings.Lines(table) {
		if i >= 0 {
			state := "  " + standing(reports[i].Status)
			line = strings.Replace(line, state, a.colored(reports[i].State, state), 1)
		}
		fmt.Fprint(a.out, line)
		i++
	}
}

// tokenLeft is how long the token will do, in few words.
func tokenLeft(st silentrefresh.Status) string {
	switch {
	case st.State != silentrefresh.StateLoggedIn:
		return "-"
	case st.Expires.IsZero():
		return "no known end"
	}
	return span(time.Until(st.Expires)) + " left"
}

// statusJSON prints an object with the session that other commands would be about, and in "sessions" all of them.
func (a *app) statusJSON(all []*profile) error {
	reports, worst, err := a.lookAtAll(all)
	if err != nil {
		return err
	}
	document := struct {
		*report
		Sessions []*report `json:"sessions"`
	}{Sessions: append([]*report{}, reports...)} // an empty list is no null
	unchosen := a.choose()
	switch {
	case unchosen == nil:
		if document.report, err = a.look(a.profile); err != nil {
			return err
		}
		worst = document.verdict()
	case asFailure(unchosen).code == exitLogin:
		f := asFailure(unchosen)
		document.report = &report{Status: silentrefresh.Status{State: silentrefresh.StateNone, Name: cmp.Or(a.options.session, "default")},
			Error: f.Error(), Do: f.do, failure: f}
		worst = f
	case len(all) < 2 || asFailure(unchosen).code != exitUsage || a.options.config != "":
		return unchosen
	}
	if err := a.printJSON(document); err != nil {
		return err
	}
	if worst != nil {
		return exitCode(asFailure(worst).code) // what there is to say is in the document
	}
	return nil
}

// nextRefresh is when the token is due, at about 80 % of its life: this process will not be there to do it.
func nextRefresh(st silentrefresh.Status) time.Time {
	if st.Expires.IsZero() || !st.Renewable {
		return time.Time{}
	}
	return st.Expires.Add(-st.Expires.Sub(st.Issued) / 5)
}

func (a *app) printStatus(r *report) {
	as := ""
	if r.Account != "" {
		as = " as " + r.Account
	}
	fmt.Fprintf(a.out, "%s%s: %s\n", r.label, as, a.colored(r.State, standing(r.Status)))
	if r.State.Healthy() {
		a.fact("token", tokenStanding(r.Status))
		a.fact("session", sessionLife(r.Status))
	}
	a.fact("stored", r.Stored)
}

func tokenStanding(st silentrefresh.Status) string {
	now := time.Now()
	switch {
	case st.State == silentrefresh.StateOffline:
		return "none that is valid; the next request renews it"
	case st.Expires.IsZero():
		return unknownLife(st)
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

// unknownLife is of a token whose end nobody has said.
func unknownLife(st silentrefresh.Status) string {
	if !st.Renewable {
		return "good until the server rejects it; nothing will renew it"
	}
	return "of unknown lifetime, renewed when the server rejects it"
}
