package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// warm: what a session costs a program that is started for one request, side by side with the same program that is
// given its token, and with the tool.
func warm(st *stage) {
	l := st.login(filepath.Join(st.dir, "session"), authtest.Config{}, nil)
	defer l.server.Close()
	token := strings.TrimSpace(l.run("token").out)
	kinds := []struct {
		name string
		cmd  func() *exec.Cmd
		took []time.Duration
	}{
		{name: "a program that is given its token", cmd: func() *exec.Cmd { return l.worker("plain", token) }},
		{name: "the same with a session", cmd: func() *exec.Cmd { return l.worker("request") }},
		{name: "silentrefresh request", cmd: func() *exec.Cmd { return l.command("request", "/me") }},
	}
	before := l.server.Counters()
	rounds := pick(st, 50, 300)
	for range rounds {
		for i := range kinds {
			r := finish(kinds[i].cmd())
			if r.code != 0 {
				st.fail("%s: %s", kinds[i].name, r)
			}
			kinds[i].took = append(kinds[i].took, r.took)
		}
	}
	after := l.server.Counters()
	st.want("requests at the API", after.API-before.API, 3*rounds)
	st.want("calls of the auth server", after.LoginCalls+after.RefreshCalls-before.LoginCalls-before.RefreshCalls, 0)
	for _, k := range kinds {
		slices.Sort(k.took)
		st.say("%-36s median %5.1f ms, lower quartile %5.1f ms", k.name, ms(k.took[rounds/2]), ms(k.took[rounds/4]))
	}
	if cost := kinds[1].took[rounds/4] - kinds[0].took[rounds/4]; cost > 5*time.Millisecond {
		st.fail("a session costs %.1f ms, at most 5 are promised (is the machine busy?)", ms(cost))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
