package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		in   []float64
		want string
	}{
		{[]float64{3}, "3"},
		{[]float64{5, 1, 3, 2, 4}, "3 [2..4]"},
		{[]float64{1, 2}, "1.50 [1.25..1.75]"},
		{[]float64{1000.4, 1000.4}, "1000"},
		{nil, "-"},
	} {
		if got := spreadOf(tt.in).String(); got != tt.want {
			t.Errorf("spread of %v: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestRatioIsTakenRoundByRound(t *testing.T) {
	same := func(v float64) float64 { return v }
	// The second round was twice as slow for both.
	if r := ratio([]float64{12, 24}, []float64{10, 20}, same); r.q1 != r.q3 || math.Abs(r.median-1.2) > 1e-9 {
		t.Errorf("ratio %v, want 1.2 without any spread", r)
	}
}

func TestAlternateTurnsRoundAndReportsWho(t *testing.T) {
	b := &bench{t: t}
	list := []contender{{name: "a"}, {name: "b"}}
	var order string
	got, err := alternate(b, 3, list, func(c contender) (string, error) {
		order += c.name
		return c.name, nil
	})
	if err != nil || order != "abbaab" || len(got["a"]) != 3 || len(got["b"]) != 3 {
		t.Errorf("order %q, results %v, %v", order, got, err)
	}
	boom := errors.New("boom")
	if _, err := alternate(b, 1, list, func(contender) (int, error) { return 0, boom }); !errors.Is(err, boom) || !strings.HasPrefix(err.Error(), "a: ") {
		t.Errorf("error %v, want it to name the contender", err)
	}
}

func TestCanaryRepeatsDisturbedTurns(t *testing.T) {
	c := &canary{} // nothing is as fast as its best
	turns := 0
	r, err := undisturbed(c, func() (int, error) { turns++; return turns, nil })
	if err != nil || r != 1+repeats || c.turns != 1 || c.again != repeats || c.disturbed != 1 {
		t.Errorf("result %d, %v, canary %+v; want the last of %d turns", r, err, *c, 1+repeats)
	}
	c = &canary{best: time.Hour} // everything is
	turns = 0
	if r, _ := undisturbed(c, func() (int, error) { turns++; return turns, nil }); r != 1 && c.again == 0 {
		t.Errorf("an undisturbed turn was repeated %d times", turns-1)
	}
	boom := errors.New("boom")
	if _, err := undisturbed(&canary{}, func() (int, error) { return 0, boom }); err != boom {
		t.Errorf("error %v, want the turn's own, at once", err)
	}
}

func TestSharedWithOthers(t *testing.T) {
	before := cpu{own: time.Second, all: 10 * time.Second}
	now := cpu{own: 2 * time.Second, all: 12 * time.Second} // others used one second
	if share := now.sharedWith(before, 100*time.Second); share <= 0 || share > 0.01 {
		t.Errorf("share %v, want a hundredth over the number of cores", share)
	}
	if share := now.sharedWith(before, 10*time.Millisecond); share != 0 {
		t.Errorf("share %v of a turn that is too short to tell", share)
	}
}

func TestReplaceSection(t *testing.T) {
	doc := []byte("a\n<!-- begin:x -->\nold\n<!-- end:x -->\nb\n")
	once, err := replaceSection(doc, "x", "new")
	if want := "a\n<!-- begin:x -->\nnew\n<!-- end:x -->\nb\n"; err != nil || string(once) != want {
		t.Fatalf("%q, %v, want %q", once, err, want)
	}
	if again, _ := replaceSection(once, "x", "new"); string(again) != string(once) {
		t.Errorf("a second time: %q", again)
	}
	if _, err := replaceSection(doc, "y", ""); err == nil || !strings.Contains(err.Error(), "begin:y") {
		t.Errorf("a missing place: %v", err)
	}
}

func TestEveryScenarioHasAPlaceInTheReadme(t *testing.T) {
	for _, s := range scenarios() {
		if err := writeSectionTo(t, s.name); err != nil {
			t.Error(err)
		}
	}
}

func TestServerRotatesAndDetectsReuse(t *testing.T) {
	s := &server{life: time.Hour, strict: true}
	n := memory(s)
	first, credential := s.login()
	one, two := newSource(n, first, credential), newSource(n, first, credential)
	if g, err := one.refresh(t.Context()); err != nil || g.token == first.token {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := two.refresh(t.Context()); err == nil {
		t.Error("a spent credential was accepted")
	}
	if _, err := one.refresh(t.Context()); err == nil {
		t.Error("the session outlived the reuse of its credential")
	}
	if got := s.tally(); got.refreshes != 3 || got.reuses != 2 {
		t.Errorf("tally %+v, want 3 refreshes, 2 of them with a spent credential", got)
	}
}

func TestEveryContenderReachesTheAPI(t *testing.T) {
	for _, c := range contenders() {
		t.Run(c.name, func(t *testing.T) {
			s := &server{life: time.Hour}
			n := memory(s)
			f, err := fitTo(c, s, n, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			defer f.close()
			hc := &http.Client{Transport: f}
			if err := get(context.Background(), hc, n.url); err != nil {
				t.Fatal(err)
			}
			if !c.replays {
				return
			}
			s.revoke()
			if err := get(context.Background(), hc, n.url); err != nil || s.tally().refreshes != 1 {
				t.Errorf("after the token was revoked: %v, %d refreshes, want 1", err, s.tally().refreshes)
			}
		})
	}
}

func TestPaceIsOpenLoop(t *testing.T) {
	got, err := inBubble(t, func() ([]moment, error) {
		stuck := roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(100 * time.Millisecond)
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
		})
		return pace(&http.Client{Transport: stuck}, "http://api.example.com", time.Second), nil
	})
	if err != nil || len(got) != rate {
		t.Fatalf("%d requests in a second, %v, want %d", len(got), err, rate)
	}
	// A worker has a request every 32 ms, and each takes 100: the last one waits for all before it.
	if worst := (watch{moments: got}).quantile(1); worst < 2000 {
		t.Errorf("the worst took %.0f ms: queueing was not counted", worst)
	}
}

func TestChart(t *testing.T) {
	c := chart{title: "a < b", xMax: 10, yMin: 1, yMax: 100, logY: true,
		series: []series{{"one", []point{{0, 1}, {5, 10}, {10, 1000}, {11, 1}}}, {"none", nil}}}
	svg := c.svg()
	for _, want := range []string{"a &lt; b", "M70.0 340.0L350.0 190.0L630.0 40.0\"", ">one<", ">none<", "</svg>\n"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the chart lacks %q", want)
		}
	}
	if svg != c.svg() {
		t.Error("the same figures gave two charts")
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"storm", "-quick", "down"})
	if err != nil || !o.quick || strings.Join(o.names, " ") != "storm down" {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range [][]string{{"-rounds", "0"}, {"-with", "frob"}, {"-write", "-quick"}, {"-write", "-with", "oauth2"}, {"frob"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

// writeSectionTo tries to write to the README, and throws the result away.
func writeSectionTo(t *testing.T, name string) error {
	t.Helper()
	doc, err := os.ReadFile("README.md")
	if err != nil {
		return err
	}
	_, err = replaceSection(doc, name, "")
	return err
}

// TestHeadlines: the project's README says what the results here say.
func TestHeadlines(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	results, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := headlineTable(string(results))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := sectionOf(string(readme), "benchmarks"); strings.TrimSpace(got) != want {
		t.Errorf("it has\n%s\nwant\n%s", got, want)
	}
	if _, err := headlineTable(strings.ReplaceAll(string(results), oauth2Transport.name, "nobody")); err == nil {
		t.Error("a row that is missing is no error")
	}
}
