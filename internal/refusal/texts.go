package refusal

import (
	"encoding/json"
	"errors"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/challenge"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// Bounds of what is read of one response: refusals are short.
const (
	longestBody = 64 << 10 // in bytes
	longestPage = 16 << 10 // of the beginning of a page, in bytes
	longestAll  = 8 << 10  // of all texts together, in bytes
	mostTexts   = 100
	mostValues  = 2000
	mostFields  = 500 // of one object
	deepest     = 8
)

// codeNames are the plain names of fields that have an error code, the most trustworthy first. The messages among them
// count only if they are a code.
var codeNames = []string{"error", "errorcode", "code", "errortype", "type", "reason", "name", "id", "errorkey", "subcode",
	"exception", "message", "msg", "errmsg", "err", "errormessage", "errordescription", "detail", "details", "title", "status"}

// messageNames are those of fields that tell people what is wrong.
var messageNames = set(`error errors errordescription errorcode errormessage code message msg detail details title reason
	description hint status statustext errorsummary localizedmessage longmessage usermessage
	text info err errmsg errormsg errorinfo`)

// silent are fields that repeat what was asked for, or say what something is called: their words mean nothing.
var silent = set(`path instance url uri href link timestamp requestid traceid correlationid documentation documentationurl
	help moreinfo erroruri email username locale realm user account profile stack trace stacktrace`)

// tokenNames are fields that have a token, unless there is a space in it: then it is what is wrong with the token.
var tokenNames = set(`session sessionid sid token jwt csrftoken xsrftoken accesstoken refreshtoken refresh access idtoken`)

// labels are fields that say which field a message is about.
var labels = []string{"field", "param", "parameter", "property", "attribute", "path", "propertyname", "pointer", "loc"}

// A reader collects the texts of a response.
type reader struct {
	texts []labelled
	size  int // of the texts, in bytes
	seen  int // values of the document
}

// A labelled text has the rank of its place among codeNames, or len(codeNames) if no code stands there.
type labelled struct {
	text  string
	label string // what the text is about, by the name of its field
	rank  int
}

// textsOf are the texts of a response, possible codes first. brief leaves out all but messages, for a response that may
// be no refusal at all.
func textsOf(r *response.Response, brief bool) []labelled {
	c := &reader{}
	switch {
	case len(r.Body) > longestBody:
	case errors.Is(r.Err, response.ErrXML):
		c.markup(string(r.Body))
	case r.Err != nil || r.Document == nil:
		if r.Err == nil && len(r.Body) <= longestText {
			c.add(string(r.Body), "", len(codeNames))
		}
	case r.JSON || !isString(r.Document):
		c.document(r.Document, brief)
	}
	challenge.Each(r.Header.Values("Www-Authenticate"), func(scheme, name, value string) {
		ours := strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "DPoP")
		if ours && (name == "error" || name == "error_description") {
			c.add(value, "", len(codeNames)-1)
		}
	})
	slices.SortStableFunc(c.texts, func(a, b labelled) int { return a.rank - b.rank })
	return c.texts
}

// isString reports whether a document is a bare text, which is a token where it is not JSON.
func isString(document any) bool {
	_, ok := document.(string)
	return ok
}

func (c *reader) add(text, label string, rank int) {
	text = strings.TrimSpace(text)
	if text != "" && len(c.texts) < mostTexts && c.size < longestAll {
		c.size += min(len(text), longestText)
		c.texts = append(c.texts, labelled{text, label, rank})
	}
}

// A node is a value of a document, the plain name of its field, and what is known of what it is about.
type node struct {
	value any
	name  string
	label string
	depth int
}

// document walks through a document, what is nearest to the top first.
func (c *reader) document(document any, brief bool) {
	queue := []node{{value: document}}
	for ; len(queue) > 0 && c.seen < mostValues; c.seen++ {
		n := queue[0]
		queue = queue[1:]
		switch v := n.value.(type) {
		case string:
			if !brief || messageNames.has(n.name) {
				c.add(v, n.label, rank(n.name))
			}
		case []any:
			if name, ok := pairOf(v); ok {
				n.label = name
			}
			for _, inner := range v[:min(len(v), mostTexts)] {
				queue = append(queue, n.inner(inner, n.name))
			}
		case map[string]any:
			queue = append(queue, n.fields(v)...)
		}
	}
}

// pairOf is the name in a list that is a field's name and what is wrong with it.
func pairOf(list []any) (name string, ok bool) {
	if len(list) != 2 {
		return "", false
	}
	name, _ = list[0].(string)
	return name, credentials[squeezed(name)] != ""
}

func (n node) inner(value any, name string) node {
	return node{value: value, name: name, label: n.label, depth: n.depth + 1}
}

// fields are the fields of an object that may say something.
func (n node) fields(fields map[string]any) []node {
	if n.depth >= deepest || len(fields) > mostFields {
		return nil
	}
	var nodes []node
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		name := response.Plain(key)
		inner := n.inner(fields[key], name)
		text, _ := inner.value.(string)
		if silent.has(name) || tokenNames.has(name) && text != "" && !saysSomething(text) {
			continue
		}
		if rank(name) == len(codeNames) && !messageNames.has(name) {
			inner.label = key // of the message inside
		} else if label := labelIn(fields); label != "" {
			inner.label = label
		}
		nodes = append(nodes, inner)
	}
	return nodes
}

// saysSomething reports whether what stands under a token's name is no token but what is wrong with it.
func saysSomething(text string) bool {
	return strings.Contains(text, " ") || deadWords.has(strings.ToLower(text)) || liveWords.has(strings.ToLower(text))
}

// labelIn is the name of the field that an object says it is about.
func labelIn(fields map[string]any) string {
	if source, ok := fields["source"].(map[string]any); ok { // JSON:API
		fields = source
	}
	for _, name := range labels {
		label, _ := fields[name].(string)
		if path, ok := fields[name].([]any); ok && len(path) > 0 {
			label, _ = path[len(path)-1].(string)
		}
		if label != "" {
			return label[strings.LastIndexByte(label, '/')+1:]
		}
	}
	return ""
}

// rank is the place of a plain name among codeNames.
func rank(name string) int {
	if i := slices.Index(codeNames, name); i >= 0 {
		return i
	}
	return len(codeNames)
}

var tag = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<[^>]*>`) })

// markup collects the texts between the tags of XML.
func (c *reader) markup(body string) {
	for text := range strings.SplitSeq(tag().ReplaceAllString(body, "\n"), "\n") {
		c.add(html.UnescapeString(text), "", rank("code"))
	}
}

// statusNames are fields that may have an HTTP status.
var statusNames = []string{"code", "status", "statuscode", "httpstatus", "errorcode", "errno"}

// statusIn is the HTTP status that a document gives itself, where servers respond with 200 to everything; 0 if none.
func statusIn(r *response.Response) int {
	for _, o := range r.Objects() {
		if o.Around != nil && (o.Around.Around != nil || o.Name != "error") {
			continue
		}
		for _, name := range statusNames {
			number, _ := o.Get(name).(json.Number)
			if n, err := number.Int64(); err == nil && n >= 400 && n <= 599 {
				return int(n)
			}
		}
	}
	return 0
}
