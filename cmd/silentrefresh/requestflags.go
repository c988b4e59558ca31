package main

import (
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/upload"
	"github.com/spf13/cobra"
)

const requestHelp = `A path that begins with a slash counts from the server's origin, one without from the base URL. The token goes
to the session's server alone. Data that is a JSON object or list is sent as JSON, other data as a form, unless
-H 'Content-Type: ...' says otherwise. The exit status is 22 where the server returned 400 or above.

  silentrefresh request /me
  silentrefresh request -X PUT -d '{"name": "Ada"}' /me
  silentrefresh request -F photo=@ada.png -F note=hello /photos
  silentrefresh request -s -o /dev/null -w '%{http_code}\n' /me

Flags are those of curl. -L follows redirects only where the session's credential may go: to the origin of the base
URL, and to those in the settings.
`

// requestOptions are the flags of request.
type requestOptions struct {
	method, output, writeOut                       string
	data                                           []upload.Datum
	header, form                                   []string
	json                                           string
	include, head, get, silent, showError, failing bool
	location, remoteName, compressed               bool
}

func (a *app) requestCmd() *cobra.Command {
	c := a.command("request URL-or-path", "send a request, and print the response's body", requestHelp, takes(1, 1), request)
	f, o := c.Flags(), &a.options.request
	f.StringVarP(&o.method, "request", "X", "", "the `METHOD` (default: GET, and POST where there is data)")
	f.VarP(dataFlag{&o.data, upload.Data}, "data", "d", "the body: `DATA` is "+dataForms+"; several are joined with an &")
	f.Var(dataFlag{&o.data, upload.Binary}, "data-binary", "likewise; of `DATA` that is a @FILE, the line breaks stay")
	f.Var(dataFlag{&o.data, upload.Raw}, "data-raw", "the body: `TEXT` as it is, an @ included")
	f.Var(dataFlag{&o.data, upload.URLEncode}, "data-urlencode", "`DATA` to be encoded: TEXT, NAME=TEXT, @FILE or NAME@FILE")
	f.StringVar(&o.json, "json", "", "a body of JSON: `DATA` is "+dataForms)
	f.StringArrayVarP(&o.form, "form", "F", nil, "a field of a multipart form, `NAME=TEXT` or NAME=@FILE, with ;type= and ;filename= behind; may be repeated")
	f.BoolVarP(&o.get, "get", "G", false, "put the data into the URL's query")
	f.BoolVarP(&o.head, "head", "I", false, "ask for the header alone, and print it")
	f.StringArrayVarP(&o.header, "header", "H", nil, "a header, `'Name: value'`; may be repeated")
	f.BoolVar(&o.compressed, "compressed", false, "ask for a compressed response, and decompress it")
	f.BoolVarP(&o.location, "location", "L", false, "follow redirects, within the session's origins")
	f.BoolVarP(&o.include, "include", "i", false, "print status and headers before the body")
	f.StringVarP(&o.output, "output", "o", "", "write the response to this `FILE`")
	f.BoolVarP(&o.remoteName, "remote-name", "O", false, "write it to a file that is named as in the URL")
	f.BoolVarP(&o.failing, "fail", "f", false, "print no body where the server returned 400 or above")
	f.BoolVarP(&o.silent, "silent", "s", false, "print no errors")
	f.BoolVarP(&o.showError, "show-error", "S", false, "print errors nevertheless")
	f.StringVarP(&o.writeOut, "write-out", "w", "", "print this `FORMAT` at the end, for instance '%{http_code}\\n'")
	return c
}

// dataFlag is one of several flags whose values are joined in the order in which they stand.
type dataFlag struct {
	all  *[]upload.Datum
	kind upload.Kind
}

// Set implements pflag.Value.
func (f dataFlag) Set(text string) error {
	*f.all = append(*f.all, upload.Datum{Kind: f.kind, Text: text})
	return nil
}

// String implements pflag.Value.
func (f dataFlag) String() string {
	for _, d := range *f.all {
		if d.Kind == f.kind {
			return d.Text
		}
	}
	return ""
}

// Type implements pflag.Value.
func (f dataFlag) Type() string { return "data" }

// instead says what to do in place of flags of curl that a command does not have.
var instead = map[string]map[string]string{
	"request": requestInstead,
	"login": {
		"user":     "a password on the command line can be read by others: give the credentials with -d @FILE or -d -, or be asked for them",
		"insecure": requestInstead["insecure"],
		"cookie":   "take up a browser's session with --cookie-file FILE",
	},
}

// requestInstead says what to do in place of those of curl's flags that request does not have.
var requestInstead = map[string]string{
	"user":           "the session is the credential, and a password on the command line can be read by others: silentrefresh login",
	"oauth2-bearer":  "the session's token is sent by itself",
	"netrc":          "the session is the credential; leave it out",
	"basic":          "the session is the credential; leave it out",
	"digest":         "the session is the credential; leave it out",
	"insecure":       "trust the server's own certificate with --cacert FILE",
	"cookie":         "the session's cookies are sent by themselves; send others with -H 'Cookie: ...'",
	"cookie-jar":     "the session keeps its cookies by itself",
	"user-agent":     "send it with -H 'User-Agent: ...'",
	"referer":        "send it with -H 'Referer: ...'",
	"range":          "send it with -H 'Range: bytes=...'",
	"upload-file":    "send it with -X PUT --data-binary @FILE",
	"max-time":       "put timeout SECONDS before the command",
	"proxy":          "name the proxy in the environment, as HTTPS_PROXY",
	"dump-header":    "-i prints the header before the body",
	"no-buffer":      "nothing is held back; leave it out",
	"globoff":        "brackets and braces are not expanded; leave it out",
	"progress-bar":   "there is none; leave it out",
	"url":            "the URL stands by itself",
	"retry":          "repeat the command while its exit status is 75",
	"parallel":       "start several commands side by side: they share the session",
	"fail-with-body": "the body is printed, and the exit status is 22, without it; leave it out",
	"http1.1":        "the server chooses the version; leave it out",
	"http2":          "the server chooses the version; leave it out",
}

// curlLetters are the long names of curl's letters that are not here.
var curlLetters = map[string]string{
	"u": "user", "n": "netrc", "k": "insecure", "b": "cookie", "c": "cookie-jar", "A": "user-agent", "e": "referer", "r": "range",
	"T": "upload-file", "m": "max-time", "x": "proxy", "D": "dump-header", "N": "no-buffer", "g": "globoff", "#": "progress-bar",
	"Z": "parallel", "0": "http1.1",
}
