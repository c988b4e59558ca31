package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"
)

// show writes the response where it is wanted.
func (t *transfer) show(resp *http.Response) error {
	o := &t.app.options.request
	if o.failing && resp.StatusCode >= 400 {
		return nil
	}
	name, err := t.fileName(resp)
	if err != nil {
		return err
	}
	if name == "" || name == "-" {
		return t.receive(t.app.out, resp)
	}
	f, err := os.Create(name)
	if err != nil {
		return usage("the file for the response was not made: "+plain(err), "give another one with -o")
	}
	t.File = name
	received := t.receive(f, resp)
	if err := f.Close(); err != nil && received == nil {
		return t.app.unwritten(err)
	}
	return received
}

// fileName is that of the file for the response, "" for none.
func (t *transfer) fileName(resp *http.Response) (string, error) {
	o := &t.app.options.request
	if !o.remoteName {
		return o.output, nil
	}
	if o.output != "" {
		return "", usage("-o and -O are both given", "leave one of the two out")
	}
	asked, err := t.app.resolve(t.app.args[0]) // the server of a redirect does not choose the name
	if err != nil {
		return "", err
	}
	name := path.Base(path.Clean("/" + asked.Path))
	if name == "/" || name == "." || name == ".." {
		return "", usage("the URL names no file", "name one with -o FILE")
	}
	return name, nil
}

// receive writes the head, if it is wanted, and the body.
func (t *transfer) receive(to io.Writer, resp *http.Response) error {
	o := &t.app.options.request
	w := &watched{Writer: to}
	if o.include || o.head {
		writeHead(w, resp)
	}
	body := io.Reader(&counted{Reader: resp.Body, n: &t.Downloaded})
	var err error
	if o.compressed && resp.Header.Get("Content-Encoding") == "gzip" && !o.head {
		body, err = gzip.NewReader(body)
	}
	if err == nil && w.err == nil {
		_, err = io.Copy(w, body)
	}
	switch {
	case w.err != nil:
		return t.app.unwritten(w.err)
	case err != nil:
		return t.app.failed("the response broke off", err)
	}
	return nil
}

func writeHead(w io.Writer, resp *http.Response) {
	fmt.Fprintf(w, "%s %s\r\n", resp.Proto, resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, value := range resp.Header[name] {
			fmt.Fprintf(w, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprint(w, "\r\n")
}

func (a *app) unwritten(err error) *failure {
	return &failure{what: "the response was not written: " + reasonOf(err), code: exitFailed}
}

// watched tells a failure to write from one to read.
type watched struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (n int, err error) {
	n, err = w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// counted counts what is read.
type counted struct {
	io.Reader
	n *int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}
