package acceptance

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/silentrefresh/silentrefresh"

// TestWalls keeps the floors apart: the vocabulary knows nobody, the exchangers know the vocabulary, and only the engine
// knows both. Leaf packages know no other package of the project, apart from each other.
func TestWalls(t *testing.T) {
	for _, wall := range []struct {
		folder, pkg string
		may         []string // prefixes of what it may import of the project
	}{
		{".", "./auth", []string{"/internal/"}},
		{".", "./endpoint", []string{"/auth", "/internal/"}},
		{".", "./endpoint/discover", []string{"/auth", "/endpoint", "/internal/"}},
		{".", ".", []string{"/auth", "/endpoint", "/internal/"}},
		{".", "./seal", []string{"/internal/"}},
		{"oauth", ".", []string{"/auth", "/internal/", "/oauth"}},
	} {
		for _, dep := range projectDeps(t, wall.folder, wall.pkg) {
			if !slices.ContainsFunc(wall.may, func(prefix string) bool { return strings.HasPrefix(dep, module+prefix) }) {
				t.Errorf("%s/%s imports %s, which is on the other side of a wall", wall.folder, wall.pkg, dep)
			}
		}
	}
}

// TestTheCoreStaysSmall counts the modules that are compiled into a program that uses the engine.
func TestTheCoreStaysSmall(t *testing.T) {
	out := goList(t, ".", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".")
	modules := slices.DeleteFunc(slices.Compact(slices.Sorted(strings.FieldsSeq(out))), func(m string) bool {
		return m == module
	})
	if len(modules) > 7 {
		t.Errorf("%d modules are compiled in, want at most 7: %v", len(modules), modules)
	}
}

// TestAProgramStartsWithoutTables: what reads pages and refusals makes its tables when it is used. Each collection marks
// what a program keeps; 100 KB of it are 3 percent of what a request costs here.
func TestAProgramStartsWithoutTables(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), readmeProgram(t))
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1", "API_URL=http://127.0.0.1:1")
	out, _ := cmd.CombinedOutput() // it fails for want of a server
	line := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes, \d+ allocs$`)
	inits := line.FindAllStringSubmatch(string(out), -1)
	if len(inits) == 0 {
		t.Fatalf("no trace in %s", out)
	}
	for _, m := range inits {
		size, _ := strconv.Atoi(m[2])
		if ours := strings.HasPrefix(m[1], module) || strings.HasPrefix(m[1], "golang.org/x/"); ours && size > 8<<10 {
			t.Errorf("%s makes %d bytes as the program starts, want at most 8 KB", m[1], size)
		}
	}
}

// projectDeps are the packages of the project that pkg is compiled with, itself apart.
func projectDeps(t *testing.T, folder, pkg string) []string {
	t.Helper()
	self := strings.TrimSpace(goList(t, folder, pkg))
	all := strings.Fields(goList(t, folder, "-deps", pkg))
	return slices.DeleteFunc(all, func(dep string) bool { return dep == self || !strings.HasPrefix(dep, module) })
}

func goList(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = top + "/" + folder
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("go list does not work in %s: %v", folder, err) // some modules are not part of this download
	}
	return string(out)
}
