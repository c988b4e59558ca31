package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/upload"
)

// newRequest is the request that the flags describe.
func (a *app) newRequest(ctx context.Context) (*http.Request, error) {
	o := &a.options.request
	u, err := a.resolve(a.args[0])
	if err != nil {
		return nil, err
	}
	body, err := a.body(u)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, usage("the query holds a space or a line break, which no URL does", "encode it: -G --data-urlencode 'NAME=TEXT'; a space is %20")
	}
	req, err := http.NewRequestWithContext(ctx, o.verb(body), u.String(), nil)
	if err != nil {
		return nil, usage("the request cannot be made: "+plain(err), "look at -X and the URL")
	}
	req.Header.Set("User-Agent", "silentrefresh/"+release())
	if o.json != "" {
		req.Header.Set("Accept", "application/json")
	}
	if o.compressed {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if err := body.Attach(req); err != nil {
		return nil, notRead("the data", err)
	}
	return req, setHeaders(req, o.header)
}

// verb is the method.
func (o *requestOptions) verb(body *upload.Body) string {
	switch {
	case o.method != "":
		return o.method
	case o.head:
		return http.MethodHead
	case body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// body is what -d, -F and their like make, nil for none. With -G that becomes the query of u.
func (a *app) body(u *url.URL) (*upload.Body, error) {
	o := &a.options.request
	kinds := 0
	for _, given := range []bool{len(o.data) > 0, len(o.form) > 0, o.json != ""} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return nil, usage("-d, -F and --json exclude each other", "give one")
	case o.head && kinds > 0 && !o.get && o.method == "":
		return nil, usage("-I asks for the header alone, and sends no data", "leave one of the two out, or put the data into the query with -G")
	case len(o.form) > 0:
		b, err := upload.Form(o.form, a.in)
		if err != nil {
			return nil, notRead("the form", err)
		}
		return b, nil
	case o.json != "":
		text, err := upload.Join([]upload.Datum{{Kind: upload.Binary, Text: o.json}}, a.in)
		if err != nil {
			return nil, notRead("the data", err)
		}
		return upload.Text("application/json", text), nil
	case len(o.data) > 0:
		text, err := upload.Join(o.data, a.in)
		if err != nil {
			return nil, notRead("the data", err)
		}
		if o.get {
			u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+text, "&")
			return nil, nil
		}
		return upload.Text(upload.TypeOf(text), text), nil
	}
	return nil, nil
}

func notRead(what string, err error) error {
	return usage(what+" was not read: "+plain(err), "give the path of a file after the @, or - for standard input")
}

// resolve is the URL that ref means.
func (a *app) resolve(ref string) (*url.URL, error) {
	const write = "write a path such as /me, or a whole URL, which begins with https:// or http://"
	u, err := url.Parse(ref)
	switch {
	case ref == "":
		return nil, usage("the URL is empty", write)
	case err != nil:
		return nil, usage("the URL cannot be parsed", write)
	case u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http": // localhost:8080/me has the scheme "localhost"
		return nil, usage("the URL has neither https:// nor http://", write)
	}
	from := *a.profile.base
	if !strings.HasSuffix(from.Path, "/") {
		from = *from.JoinPath("/")
	}
	return from.ResolveReference(u), nil
}

// setHeaders sets headers as -H has them. One without a value takes the header away.
func setHeaders(req *http.Request, lines []string) error {
	fresh := map[string]bool{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return usage(fmt.Sprintf("-H %q is not a header", firstWord(line)), "write it as 'Name: value'")
		case name == "Host":
			req.Host = value
		case value == "":
			req.Header.Del(name)
		case !fresh[name]:
			req.Header.Set(name, value)
			fresh[name] = true
		default:
			req.Header.Add(name, value)
		}
	}
	return nil
}

// firstWord is the first word of line; the others may be a secret.
func firstWord(line string) string {
	word, _, more := strings.Cut(strings.TrimSpace(line), " ")
	if more {
		return word + " ..."
	}
	return word
}
