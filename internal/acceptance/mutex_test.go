package acceptance

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pure are the packages whose functions may be called while the session's mutex is held: they do no I/O, wait for
// nobody, and call no method of a value that they are given.
var pure = []string{"cmp", "math", "math/rand/v2", "slices", "strings", "sync", "sync/atomic", "time", module + "/auth",
	module + "/internal/chance", module + "/internal/lifetime", module + "/internal/pace", module + "/internal/record",
	module + "/internal/wall"}

// TestTheMutexIsHeldByNobodyElse reads the engine's source: only methods of session hold its mutex, and while it is
// held, no function value, no method of an interface and nothing that may do I/O is called. So no code of a user's can
// run under it, whatever it is.
func TestTheMutexIsHeldByNobodyElse(t *testing.T) {
	m := readMutex(t, engineSource(t))
	if len(m.holders) < 20 {
		t.Errorf("only %d functions hold the mutex: the test looks at the wrong ones", len(m.holders))
	}
	for _, fault := range m.faults {
		t.Error(fault)
	}
}

// The test can fail: each of these is a fault.
func TestTheMutexTestSees(t *testing.T) {
	const head = `package silentrefresh
import ("fmt"; "os"; "sync")
type session struct { mu sync.Mutex; call func(); err error }
type other struct { session }
`
	for body, want := range map[string]string{
		`func (s *session) f() { s.mu.Lock(); defer s.mu.Unlock(); s.call() }`:                                       "function value",
		`func (s *session) f() { s.mu.Lock(); defer s.mu.Unlock(); _ = s.err.Error() }`:                              "interface",
		`func (s *session) f() { s.mu.Lock(); os.Remove("x"); s.mu.Unlock() }`:                                       "os",
		`func (s *session) f() { s.mu.Lock(); defer s.mu.Unlock(); s.g() }; func (s *session) g() { fmt.Println() }`: "fmt",
		`func (s *session) gLocked() { fmt.Println() }`:                                                              "fmt",
		`func (o *other) f() { o.mu.Lock() }`:                                                                        "not a method of session",
		`func (s *session) f() { s.mu.Lock(); s.mu.Unlock(); s.call() }`:                                             "",
		`func (s *session) f() { s.mu.Lock(); defer s.mu.Unlock(); go s.call() }`:                                    "",
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "fault.go", head+body+"\nvar _ = fmt.Sprint\nvar _ = os.Args\n", 0)
		if err != nil {
			t.Fatal(err)
		}
		m := readMutex(t, source{fset, []*ast.File{file}})
		got := strings.Join(m.faults, "\n")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s\nfound %q, want %q", body, got, want)
		}
	}
}

type source struct {
	fset  *token.FileSet
	files []*ast.File
}

func engineSource(t *testing.T) source {
	t.Helper()
	names, err := filepath.Glob(top + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	s := source{fset: token.NewFileSet()}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, file)
	}
	return s
}

// mutex is what the source says about session.mu.
type mutex struct {
	source
	info    *types.Info
	bodies  map[types.Object]*ast.FuncDecl
	holders map[string]bool
	seen    map[types.Object]bool // whose bodies were looked at as a whole
	faults  []string
}

func readMutex(t *testing.T, s source) *mutex {
	t.Helper()
	m := &mutex{source: s, bodies: map[types.Object]*ast.FuncDecl{}, holders: map[string]bool{}, seen: map[types.Object]bool{}}
	m.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Types: map[ast.Expr]types.TypeAndValue{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	conf := types.Config{Importer: exportData(t, s.fset)}
	if _, err := conf.Check(module, s.fset, s.files, m.info); err != nil {
		t.Fatal(err)
	}
	m.each(func(fn *ast.FuncDecl) { m.bodies[m.info.Defs[fn.Name]] = fn })
	m.each(m.look)
	return m
}

func (m *mutex) each(do func(*ast.FuncDecl)) {
	for _, file := range m.files {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
				do(fn)
			}
		}
	}
}

// exportData imports packages as the compiler left them.
func exportData(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	files := map[string]string{}
	for line := range strings.Lines(goList(t, ".", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".")) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		b, err := os.ReadFile(files[path])
		return io.NopCloser(bytes.NewReader(b)), err
	})
}

// look finds where fn holds the mutex, and looks at what it calls there.
func (m *mutex) look(fn *ast.FuncDecl) {
	if m.isSession(fn) && strings.HasSuffix(fn.Name.Name, "Locked") {
		m.whole(m.info.Defs[fn.Name])
	}
	held := false
	for _, stmt := range fn.Body.List {
		locks, unlocks := m.calls(stmt, "Lock"), m.calls(stmt, "Unlock")
		if locks && !m.isSession(fn) {
			m.fault(stmt, "%s holds the mutex, and is not a method of session", fn.Name.Name)
		}
		if _, deferred := stmt.(*ast.DeferStmt); deferred && unlocks {
			continue
		}
		switch {
		case locks:
			held = true
			m.holders[fn.Name.Name] = true
		case unlocks:
			held = false
		}
		if held || locks || unlocks {
			m.inspect(stmt, fn.Name.Name)
		}
	}
}

func (m *mutex) isSession(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return false
	}
	star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	name, ok := star.X.(*ast.Ident)
	return ok && name.Name == "session"
}

// calls reports whether stmt calls that method of session.mu.
func (m *mutex) calls(stmt ast.Node, method string) (found bool) {
	ast.Inspect(stmt, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || f.Sel.Name != method {
			return true
		}
		mu, ok := f.X.(*ast.SelectorExpr)
		found = found || ok && mu.Sel.Name == "mu" && m.ofSession(mu)
		return true
	})
	return found
}

// ofSession reports whether the field is session's own, directly or by embedding.
func (m *mutex) ofSession(mu *ast.SelectorExpr) bool {
	selection := m.info.Selections[mu]
	if selection == nil {
		return false
	}
	t := selection.Recv()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && (named.Obj().Name() == "session" || len(selection.Index()) > 1)
}

// whole looks at all that a function calls, since the mutex is held all the time.
func (m *mutex) whole(fn types.Object) {
	if m.seen[fn] || m.bodies[fn] == nil {
		return
	}
	m.seen[fn] = true
	m.inspect(m.bodies[fn].Body, fn.Name())
}

func (m *mutex) inspect(n ast.Node, in string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			return false // what a goroutine does, it does outside
		case *ast.CallExpr:
			m.call(n, in)
		}
		return true
	})
}

// call looks at one call under the mutex.
func (m *mutex) call(call *ast.CallExpr, in string) {
	fun := ast.Unparen(call.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	if tv := m.info.Types[fun]; tv.IsType() || tv.IsBuiltin() {
		return
	}
	var callee types.Object
	switch fun := fun.(type) {
	case *ast.Ident:
		callee = m.info.Uses[fun]
	case *ast.SelectorExpr:
		callee = m.info.Uses[fun.Sel]
	case *ast.FuncLit:
		return // inspected where it stands
	}
	f, ok := callee.(*types.Func)
	switch {
	case !ok:
		m.fault(call, "%s calls a function value under the mutex", in)
	case f.Signature().Recv() != nil && types.IsInterface(f.Signature().Recv().Type()):
		m.fault(call, "%s calls %s of an interface under the mutex", in, f.Name())
	case f.Pkg().Path() == module:
		m.whole(f)
	case !slices.Contains(pure, f.Pkg().Path()):
		m.fault(call, "%s calls %s.%s under the mutex", in, f.Pkg().Path(), f.Name())
	}
}

func (m *mutex) fault(at ast.Node, format string, args ...any) {
	where := m.fset.Position(at.Pos())
	m.faults = append(m.faults, fmt.Sprintf("%s:%d: ", filepath.Base(where.Filename), where.Line)+fmt.Sprintf(format, args...))
}
