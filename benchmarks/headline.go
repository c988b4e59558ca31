package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A headline is a line of the small table in the project's README: figures from a table of this folder's.
type headline struct {
	text     string
	scenario string
	table    string   // the first cell of its header
	columns  []string // by their headers; of equal ones the first
	format   string   // of the columns' cells
}

var headlines = []headline{
	{"attaching a token, times the minimal RoundTripper (with maps.Clone)", "hotpath", "", []string{"ratio", "to maps.Clone"}, "%s (%s)"},
	{"CPU of a request on loopback, times the minimal one", "endtoend", "", []string{"ratio to minimal"}, "%s"},
	{"slowest of 1,000 requests while tokens end, renewed 500 ms ahead, ms", "rollover", "lead 500ms", []string{"p99.9 ms"}, "%s"},
	{"2,000 requests at a revocation: refreshes, failures", "storm", "all at once", []string{"refreshes", "failures seen"}, "%s, %s"},
	{"a minute's outage: refresh calls, failures with a valid token", "down", "", []string{"refresh calls in 60 s", "failed while the token was valid"}, "%s, %s"},
}

var headlined = []string{nameOurs, oauth2Transport.name, smithyCache.name, mutexRecheck.name}

// writeHeadlines puts them into the file at path, from the results that stand in here.
func writeHeadlines(path, here string) error {
	results, err := os.ReadFile(here)
	if err != nil {
		return err
	}
	text, err := headlineTable(string(results))
	if err != nil {
		return err
	}
	return writeSection(path, "benchmarks", text)
}

func headlineTable(results string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "| beside its peers | %s |\n|---|%s\n", strings.Join(headlined, " | "), strings.Repeat("---|", len(headlined)))
	for _, h := range headlines {
		section, ok := sectionOf(results, h.scenario)
		if !ok {
			return "", fmt.Errorf("there are no results of %q", h.scenario)
		}
		fmt.Fprintf(&b, "| %s |", h.text)
		for _, name := range headlined {
			header, cells := row(section, h.table, name)
			var figures []any
			for _, column := range h.columns {
				i := slices.Index(header, column)
				if i < 0 || i >= len(cells) {
					return "", fmt.Errorf("%q has no table %q with a row %q and a column %q", h.scenario, h.table, name, column)
				}
				median, _, _ := strings.Cut(cells[i], " [")
				figures = append(figures, median)
			}
			fmt.Fprintf(&b, " %s |", fmt.Sprintf(h.format, figures...))
		}
		b.WriteByte('\n')
	}
	section, _ := sectionOf(results, "rollover")
	lines := strings.Split(strings.TrimSpace(section), "\n")
	fmt.Fprintf(&b, "\n![Latency while tokens end](benchmarks/plots/rollover.svg)\n\nMedians, on %s; repeat it with `go run -C benchmarks .`", lines[len(lines)-1])
	return b.String(), nil
}

// sectionOf is what stands in a README between the marks of a scenario.
func sectionOf(readme, scenario string) (string, bool) {
	_, rest, ok := strings.Cut(readme, "<!-- begin:"+scenario+" -->\n")
	if !ok {
		return "", false
	}
	section, _, ok := strings.Cut(rest, "<!-- end:"+scenario+" -->")
	return section, ok
}

// row is the row of a Markdown table that begins with name, with the table's header, which begins with table.
func row(section, table, name string) (header, cells []string) {
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			header = nil
		case header == nil:
			header = cells
		case header[0] == table && cells[0] == name:
			return header, cells
		}
	}
	return nil, nil
}
