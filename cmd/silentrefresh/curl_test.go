package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// like a curl test server: it says what it got, and has redirects, a compressed page and errors.
func curlServer(t *testing.T) (*box, string) {
	t.Helper()
	s := authtest.NewServer(t, authtest.Config{})
	mux := http.NewServeMux()
	mux.Handle("/", forward(s.URL()))
	mux.HandleFunc("/got", func(w http.ResponseWriter, req *http.Request) {
		got := map[string]any{"method": req.Method, "query": req.URL.RawQuery, "type": req.Header.Get("Content-Type"), "length": req.ContentLength,
			"encoding": req.Header.Get("Accept-Encoding"), "authorized": req.Header.Get("Authorization") != ""}
		if strings.HasPrefix(req.Header.Get("Content-Type"), "multipart/") {
			got["form"] = formOf(t, req)
		} else {
			b, _ := io.ReadAll(req.Body)
			got["body"] = string(b)
		}
		json.NewEncoder(w).Encode(got)
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "unpacked")
		z.Close()
	})
	mux.HandleFunc("/teapot", func(w http.ResponseWriter, req *http.Request) { http.Error(w, "short and stout", http.StatusTeapot) })
	mux.HandleFunc("/to", func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, req.URL.Query().Get("url"), http.StatusTemporaryRedirect)
	})
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusTemporaryRedirect))
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	b := newBox(t)
	b.ok("login", "--base", front.URL, "-d", credentials)
	return b, front.URL
}

// formOf is what a server makes of a form.
func formOf(t *testing.T, req *http.Request) map[string]string {
	fields := map[string]string{}
	if err := req.ParseMultipartForm(1 << 20); err != nil {
		t.Error(err)
		return nil
	}
	for name, values := range req.MultipartForm.Value {
		fields[name] = strings.Join(values, ",")
	}
	for name, files := range req.MultipartForm.File {
		for _, f := range files {
			r, err := f.Open()
			if err != nil {
				t.Error(err)
				continue
			}
			b, _ := io.ReadAll(r)
			r.Close()
			fields[name] += fmt.Sprintf("%s %s %s", f.Filename, f.Header.Get("Content-Type"), b)
		}
	}
	return fields
}

func TestDataLikeCurl(t *testing.T) {
	b, _ := curlServer(t)
	file := b.file("data", "a=1\r\nb=2\n")
	for args, want := range map[string]string{
		"-d a=1":                         `POST application/x-www-form-urlencoded "a=1" ""`,
		"-d a=1 --data b=2":              `POST application/x-www-form-urlencoded "a=1&b=2" ""`,
		`-d {"a":1}`:                     `POST application/json "{\"a\":1}" ""`,
		`-d {"a":1} -H Content-Type:x`:   `POST x "{\"a\":1}" ""`,
		"-d @" + file:                    `POST application/x-www-form-urlencoded "a=1b=2" ""`,
		"--data-binary @" + file:         `POST application/x-www-form-urlencoded "a=1\r\nb=2\n" ""`,
		"--data-raw @x":                  `POST application/x-www-form-urlencoded "@x" ""`,
		"--data-urlencode a=&=ü":         `POST application/x-www-form-urlencoded "a=%26%3D%C3%BC" ""`,
		"--data-urlencode =&":            `POST application/x-www-form-urlencoded "%26" ""`,
		"--data-urlencode n@" + file:     `POST application/x-www-form-urlencoded "n=a%3D1%0D%0Ab%3D2%0A" ""`,
		"-d - -X PUT":                    `PUT application/x-www-form-urlencoded "typed" ""`,
		"-G -d a=1 --data-urlencode b= ": `GET  "" "a=1&b="`,
		"--json {}":                      `POST application/json "{}" ""`,
		"-X DELETE":                      `DELETE  "" ""`,
	} {
		r := b.runWith("typed", append([]string{"request", "/got"}, strings.Fields(args)...)...)
		var got struct{ Method, Query, Type, Body string }
		if err := json.Unmarshal([]byte(r.out), &got); err != nil {
			t.Errorf("%s: %v %s", args, err, r.err)
			continue
		}
		if got := fmt.Sprintf("%s %s %q %q", got.Method, got.Type, got.Body, got.Query); got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
	b.fails(exitUsage, []string{"exclude each other"}, "request", "-d", "x", "-F", "a=b", "/got")
	b.fails(exitUsage, []string{"-I asks for the header alone"}, "request", "-I", "-d", "x", "/got")
	b.fails(exitUsage, []string{"the data was not read", "no such file"}, "request", "-d", "@"+file+"x", "/got")
}

func TestFormLikeCurl(t *testing.T) {
	b, _ := curlServer(t)
	png := b.file("ada.png", "picture")
	text := b.file("note", "from a file")
	r := b.runWith("typed", "request", "/got", "-F", "photo=@"+png, "-F", "a=1;2", "-F", "note=<"+text, "-F", "in=<-",
		"-F", "typed=@"+text+";type=text/html; charset=utf-8;filename=x.html", "-F", "plain=t;type=text/plain", "-F", "more=@"+png, "-F", "more=@"+text)
	var got struct {
		Method string
		Length int64
		Form   map[string]string
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err, r)
	}
	want := map[string]string{
		"photo": "ada.png image/png picture", "a": "1;2", "note": "from a file", "in": "typed", "plain": "t",
		"typed": "x.html text/html; charset=utf-8 from a file", "more": "ada.png image/png picturenote application/octet-stream from a file",
	}
	for name, value := range want {
		if got.Form[name] != value {
			t.Errorf("%s is %q, want %q", name, got.Form[name], value)
		}
	}
	if got.Method != http.MethodPost || got.Length <= 0 || len(got.Form) != len(want) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"nothing", "=x", "a=@", "a=@/no/such/file"} {
		if r := b.fails(exitUsage, []string{"the form was not read"}, "request", "-F", bad, "/got"); strings.Contains(r.err, "nothing") {
			t.Errorf("shows the value: %s", r.err)
		}
	}
}

// TestFormIsSentAgain, files and all, where the token is rejected.
func TestFormIsSentAgain(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.RevokeAccess()
	got := echo(t, b.ok("request", "-F", "photo=@"+b.file("ada.png", "picture"), "/echo"))
	if !strings.Contains(got.Body, "picture") || s.Counters().Refreshes != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestRedirectsLikeCurl(t *testing.T) {
	b, base := curlServer(t)
	if got := b.ok("request", "-L", "-d", "x", "-w", "%{num_redirects} %{url_effective}", "/to?url=/got"); !strings.Contains(got, `"body":"x"`) ||
		!strings.HasSuffix(got, "\n1 "+base+"/got") {
		t.Errorf("within the origin:\n%s", got)
	}
	visits := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits++ }))
	defer other.Close()
	r := b.run("request", "-L", "-d", "secret", "-w", "%{http_code} %{redirect_url}", "/to?url="+other.URL+"/x")
	if r.code != 0 || r.out != "307 "+other.URL+"/x" || visits != 0 || !strings.Contains(r.err, "-L stays within the session's origins\n") {
		t.Errorf("elsewhere: %d visits, %+v", visits, r)
	}
	if r := b.run("request", "/to?url=/got"); !strings.Contains(r.err, "see /got\n") || strings.Contains(r.err, "-L stays") {
		t.Errorf("without -L: %+v", r)
	}
	b.fails(exitFailed, []string{"more than 50 redirects"}, "request", "-L", "-d", "x", "/loop")
}

// outputs are what request prints, and to which of its outputs.
var outputs = []struct {
	args      string
	code      int
	out, says string
}{
	{"-w %{http_code}\\n /got -o got", 0, "200\n", ""},
	{"-w %{size_download},%{filename_effective} -O /teapot?x=1", exitStatus, "16,teapot", "returned 418"},
	{"-f -O /status/404 -w %{http_code}", exitStatus, "404", "returned 404"},
	{"-f /teapot", exitStatus, "", "/teapot returned 418"},
	{"-f -s /teapot", exitStatus, "", ""},
	{"-f -s -S /teapot", exitStatus, "", "/teapot returned 418"},
	{"-fsS /teapot", exitStatus, "", "/teapot returned 418"},
	{"-s /teapot", exitStatus, "short and stout\n", ""},
	{"--compressed /gzip", 0, "unpacked", ""},
	{"-s --session nosuch /me", exitLogin, "", ""},
	{"-s --session nosuch -w %{http_code}.%{exitcode} /me", exitLogin, "000.3", ""},
	{"-o - --compressed /gzip", 0, "unpacked", ""},
	{"-O /", exitUsage, "", "the URL names no file"},
	{"-O /a/..", exitUsage, "", "the URL names no file"},
	{"-O -o x /me", exitUsage, "", "both given"},
	{"-w %{http_cod} /me", exitUsage, "", "did you mean %{http_code}?"},
	{"-w %{http_code}.%{exitcode}.%{errormsg} http://127.0.0.1:1/", exitPasses, "000.75.http://127.0.0.1:1/ was not sent: dial tcp 127.0.0.1:1: connect: connection refused", "refused"},
	{"-w @- /teapot -f", exitStatus, "", "418"},
}

func TestOutputLikeCurl(t *testing.T) {
	b, base := curlServer(t)
	dir := t.TempDir()
	in := func(args ...string) ended {
		t.Helper()
		cmd := b.command(append([]string{"request"}, args...)...)
		var out, stderr strings.Builder
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &stderr
		cmd.Run()
		return ended{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
	}
	for _, c := range outputs {
		r := in(strings.Fields(c.args)...)
		if r.code != c.code || r.out != c.out || c.says == "" && r.err != "" || !strings.Contains(r.err, c.says) {
			t.Errorf("%s: %+v, want %+v", c.args, r, c)
		}
	}
	for name, want := range map[string]string{"got": `"GET"`, "teapot": "short and stout\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s has %s, %v", name, b, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("files: %v", entries)
	}
	if got := b.ok("request", "-I", base+"/got"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\n\r\n") {
		t.Errorf("-I printed %q", got)
	}
	if got := b.ok("request", "-i", "-o", "-", "/got"); !strings.Contains(got, "\r\n\r\n{") {
		t.Errorf("-i printed %q", got)
	}
}

// TestWhatIsCurlsAndNotHere is named, with what to do instead; what may be a password is not repeated.
func TestWhatIsCurlsAndNotHere(t *testing.T) {
	for args, want := range map[string]string{
		"-u ada:s3cret":       "request has no -u (curl's --user): the session is the credential",
		"-uada:s3cret":        "request has no -u (curl's --user): the session is the credential",
		"--user=ada:s3cret":   "request has no --user: the session is the credential",
		"-k":                  "request has no -k (curl's --insecure): trust the server's own certificate with --cacert FILE",
		"-b a=s3cret":         "request has no -b (curl's --cookie): the session's cookies",
		"--retry 3":           "request has no --retry: repeat the command",
		"-T file":             "request has no -T (curl's --upload-file): send it with -X PUT --data-binary @FILE",
		"--max-time 3":        "request has no --max-time: put timeout SECONDS",
		"--bearer=s3cret":     "request has no --bearer: ",
		"--data-url-encode a": "request has no --data-url-encode: did you mean --data-urlencode?",
		"--sillent":           "request has no --sillent: did you mean --silent?",
	} {
		f := failing(t, nothing, append([]string{"request", "/me"}, strings.Fields(args)...)...)
		if got := f.what + ": " + f.do; f.code != exitUsage || !strings.HasPrefix(got, want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
	for args, want := range map[string]string{
		"-u ada:s3cret": "login has no -u (curl's --user): a password on the command line can be read by others",
		"-k":            "login has no -k (curl's --insecure): trust",
		"--cookie a=b":  "login has no --cookie: take up",
		"-b a=b":        "login has no -b (curl's --cookie): take up",
	} {
		f := failing(t, nothing, append([]string{"login"}, strings.Fields(args)...)...)
		if got := f.what + ": " + f.do; f.code != exitUsage || !strings.HasPrefix(got, want) || strings.Contains(got, "s3cret") {
			t.Errorf("login %s: %s, want %s", args, got, want)
		}
	}
}
