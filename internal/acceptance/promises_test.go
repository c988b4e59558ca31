package acceptance

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updatePromises = flag.Bool("update", false, "TestPromises writes the column of tests")

// top is the folder of the project.
const top = "../.."

const promisesFile = top + "/docs/PROMISES.md"

var (
	promiseRow   = regexp.MustCompile(`(?m)^\| (F\d{2,3}) \| (.+?) \|(.*)\|$`)
	testFunc     = regexp.MustCompile(`(?m)^func (Test((?:_?F\d{2,3})+)\w*)\(`)
	promiseNo    = regexp.MustCompile(`F\d{2,3}`)
	quotedInCode = regexp.MustCompile("`([^`]+)`")
)

// lastPromise is how many there are.
const lastPromise = 109

// TestPromises keeps docs/PROMISES.md true: it has every number once and in order, and each test that it names
// exists and carries the number.
func TestPromises(t *testing.T) {
	if _, err := os.Stat(top + "/redisstore/go.mod"); err != nil {
		t.Skip("some tests are in modules that are not part of this download")
	}
	text, err := os.ReadFile(promisesFile)
	if err != nil {
		t.Fatal(err)
	}
	tests := testsByPromise(t)
	if *updatePromises {
		text = fillIn(text, tests)
		if err := os.WriteFile(promisesFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var numbers []string
	for _, row := range promiseRow.FindAllStringSubmatch(string(text), -1) {
		numbers = append(numbers, row[1])
		checkProof(t, row[1], row[3], tests[row[1]])
	}
	var want []string
	for no := 1; no <= lastPromise; no++ {
		want = append(want, fmt.Sprintf("F%02d", no))
	}
	if !slices.Equal(numbers, want) {
		t.Errorf("the rows are %v,\nwant %v", numbers, want)
	}
	for no := range tests {
		if !slices.Contains(numbers, no) {
			t.Errorf("tests for a promise that was never made: %s", no)
		}
	}
}

// checkProof compares the tests that a row names with those that exist.
func checkProof(t *testing.T, no, column string, exist []string) {
	names := quotedInCode.FindAllStringSubmatch(column, -1)
	if len(names) == 0 {
		t.Errorf("%s names no test", no)
	}
	for _, name := range names {
		if !slices.Contains(exist, name[1]) {
			t.Errorf("%s is said to be shown by %s, which does not exist: run this test with -update", no, name[1])
		}
	}
}

// testsByPromise finds the tests of all modules by the numbers that their names begin with.
func testsByPromise(t *testing.T) map[string][]string {
	found := map[string][]string{}
	root := os.DirFS(top)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(root, path.Clean(name))
		for _, test := range testFunc.FindAllStringSubmatch(string(source), -1) {
			for _, no := range promiseNo.FindAllString(test[2], -1) {
				found[no] = append(found[no], test[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found
}

// fillIn writes the names of the tests into the last column.
func fillIn(text []byte, tests map[string][]string) []byte {
	return promiseRow.ReplaceAllFunc(text, func(line []byte) []byte {
		row := promiseRow.FindStringSubmatch(string(line))
		column := " "
		if names := slices.Compact(tests[row[1]]); len(names) > 0 {
			column = " `" + strings.Join(names, "`, `") + "` "
		}
		return fmt.Appendf(nil, "| %s | %s |%s|", row[1], row[2], column)
	})
}
