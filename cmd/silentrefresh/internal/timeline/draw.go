package timeline

import (
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/words"
)

// A sign is how something looks on the line of time.
type sign struct {
	unicode, ascii string
	style          terminal.Style
	means          string
}

// The signs of the line itself.
var (
	lived   = sign{"━", "=", terminal.Green, ""}
	ahead   = sign{"─", "-", terminal.Green, ""}
	gap     = sign{"·", ".", terminal.Red, "no token"}
	nothing = sign{" ", " ", terminal.Plain, ""}
	present = sign{"┃", "|", terminal.Bold, ""}
	due     = sign{"◇", "?", terminal.Cyan, "renewal due"}
	end     = sign{"┤", "]", terminal.Green, ""}
)

// signs are those of marks, the weightiest last: where several meet, it is seen.
var signs = []struct {
	sign
	kinds []silentrefresh.EventKind
}{
	{sign{"○", "o", terminal.Green, "unchanged"}, []silentrefresh.EventKind{silentrefresh.EventUnchanged}},
	{sign{"●", "*", terminal.Green, "renewed"}, []silentrefresh.EventKind{silentrefresh.EventRenewed, silentrefresh.EventHandedOut}},
	{sign{"◆", "@", terminal.Cyan, "another process"}, []silentrefresh.EventKind{silentrefresh.EventAdopted}},
	{sign{"▶", ">", terminal.Cyan, "begun"}, []silentrefresh.EventKind{silentrefresh.EventLoggedIn, silentrefresh.EventResumed}},
	{sign{"▲", "!", terminal.Yellow, "failed"}, []silentrefresh.EventKind{silentrefresh.EventRetrying}},
	{sign{"✗", "x", terminal.Red, "rejected"}, []silentrefresh.EventKind{silentrefresh.EventRejected}},
	{sign{"■", "#", terminal.Red, "over"}, []silentrefresh.EventKind{silentrefresh.EventOver, silentrefresh.EventLoggedOut}},
}

// weight is the place of an event's sign in signs, -1 if it has none.
func weight(kind silentrefresh.EventKind) int {
	for i, s := range signs {
		if slices.Contains(s.kinds, kind) {
			return i
		}
	}
	return -1
}

// StyleOf is how the kind of an event is written.
func StyleOf(kind silentrefresh.EventKind) terminal.Style {
	if w := weight(kind); w >= 0 {
		return signs[w].style
	}
	return terminal.Yellow // a warning of some sort
}

// lighter sorts marks by weight.
func lighter(a, b Mark) int { return weight(a.Kind) - weight(b.Kind) }

// widest is how wide a line of time gets: on a wider terminal it is no clearer.
const widest = 120

// Draw draws the session as it stands at the time now: a headline, the line of time, its times, and what its signs mean.
// The present stays where it is, at two thirds, and what is right of it is the life of one token at most.
func (l *Life) Draw(now time.Time, s terminal.Screen) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.axisLocked(now, min(s.Width()-1, widest))
	cells := l.cellsLocked(a)
	return []string{l.headlineLocked(now, s), paint(cells, s), s.Paint(terminal.Dim, a.times()), legend(cells, s, a.columns)}
}

// An axis places times in columns.
type axis struct {
	from    time.Time // the left end of the first column
	now     time.Time
	column  time.Duration
	columns int
}

func (l *Life) axisLocked(now time.Time, columns int) axis {
	life := 10 * time.Minute
	if n := len(l.tokens); n > 0 && !l.seen.Until.IsZero() {
		life = max(l.seen.Until.Sub(l.seen.From), 3*time.Second)
	}
	column := max(life*3/time.Duration(columns), 1)
	a := axis{now: now, column: column, columns: columns}
	a.from = now.Add(-column * time.Duration(columns*2/3))
	return a
}

// at is the column of a time, which may be outside.
func (a axis) at(t time.Time) int {
	d := t.Sub(a.from)
	if d < 0 {
		return -1
	}
	return int(d / a.column)
}

// middle is the time in the middle of a column.
func (a axis) middle(i int) time.Time { return a.from.Add(time.Duration(i)*a.column + a.column/2) }

// times says what time it is at the ends and now.
func (a axis) times() string {
	const format = time.TimeOnly
	from, to := a.from.Local().Format(format), a.middle(a.columns).Local().Format(format)
	left := strings.Repeat(" ", max(a.at(a.now)-len(from)-1, 1))
	right := strings.Repeat(" ", max(a.columns-a.at(a.now)-len(to)-2, 1))
	return from + left + "now" + right + to
}

func (l *Life) cellsLocked(a axis) []sign {
	cells := make([]sign, a.columns)
	for i := range cells {
		cells[i] = l.lineLocked(a.middle(i), a.now)
	}
	put := func(t time.Time, s sign) {
		if i := a.at(t); i >= 0 && i < a.columns {
			cells[i] = s
		}
	}
	for _, m := range slices.SortedStableFunc(slices.Values(l.marks), lighter) {
		if w := weight(m.Kind); w >= 0 {
			put(m.Time, signs[w].sign)
		}
	}
	if st := l.status; st.State.Healthy() {
		put(later(st.Expires, a.now), end)
		put(st.NextRefresh, due)
	}
	put(a.now, present)
	return cells
}

// later is t if it is to come, else the zero time.
func later(t, now time.Time) time.Time {
	if t.Before(now) {
		return time.Time{}
	}
	return t
}

// lineLocked is the line at the time t: there was a token, or will be, or there was none.
func (l *Life) lineLocked(t, now time.Time) sign {
	if n := len(l.tokens); t.After(now) {
		if n > 0 && l.status.State == silentrefresh.StateLoggedIn && l.tokens[n-1].covers(t) {
			return ahead
		}
		return nothing
	}
	for _, token := range l.tokens {
		if token.covers(t) {
			return lived
		}
	}
	if len(l.tokens) == 0 || t.Before(l.tokens[0].From) {
		return nothing
	}
	return gap
}

// paint is the line, one style after the other.
func paint(cells []sign, s terminal.Screen) string {
	var line, run strings.Builder
	for i, c := range cells {
		run.WriteString(c.on(s))
		if i+1 == len(cells) || cells[i+1].style != c.style {
			line.WriteString(s.Paint(c.style, run.String()))
			run.Reset()
		}
	}
	return strings.TrimRight(line.String(), " ")
}

// on is the sign as the terminal can show it.
func (c sign) on(s terminal.Screen) string {
	if s.Unicode {
		return c.unicode
	}
	return c.ascii
}

// legend says what the signs mean that are on the line, as far as there is room.
func legend(cells []sign, s terminal.Screen, columns int) string {
	var all []sign
	for _, c := range signs {
		all = append(all, c.sign)
	}
	text := ""
	for _, c := range append(all, gap, due) {
		longer := text + s.Paint(c.style, c.on(s)) + " " + s.Paint(terminal.Dim, c.means)
		if slices.Contains(cells, c) && terminal.Columns(longer) <= columns {
			text = longer + "  "
		}
	}
	return strings.TrimRight(text, " ")
}

// headlineLocked says how the session stands.
func (l *Life) headlineLocked(now time.Time, s terminal.Screen) string {
	st := l.status
	parts := []string{s.Paint(terminal.Bold+";"+StyleOfState(st.State), standing(st))}
	if l.retry.Kind != "" {
		parts = append(parts, s.Paint(terminal.Yellow, retrying(l.retry, now)))
	}
	if st.State == silentrefresh.StateLoggedIn && !st.Expires.IsZero() {
		parts = append(parts, "token good for "+words.Left(st.Expires.Sub(now)))
	}
	if l.retry.Kind == "" && st.State.Healthy() && !st.NextRefresh.IsZero() {
		parts = append(parts, "renewal in "+words.Left(st.NextRefresh.Sub(now)))
	}
	return strings.Join(parts, ", ")
}

// standing is the state in words.
func standing(st silentrefresh.Status) string {
	switch st.State {
	case silentrefresh.StateLoggedIn:
		if st.Account != "" {
			return "logged in as " + terminal.Printable(st.Account)
		}
	case silentrefresh.StateOffline:
		return "no valid token"
	case silentrefresh.StateNone:
		return "not logged in"
	case silentrefresh.StateOver:
		return "over: log in again"
	}
	return string(st.State)
}

// StyleOfState is how a state is written.
func StyleOfState(state silentrefresh.State) terminal.Style {
	switch state {
	case silentrefresh.StateLoggedIn:
		return terminal.Green
	case silentrefresh.StateOffline, silentrefresh.StateUnclear:
		return terminal.Yellow
	}
	return terminal.Red
}
