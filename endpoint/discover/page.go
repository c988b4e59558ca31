package discover

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A page is what is read of an HTML document.
type page struct {
	at    *url.URL
	forms []form
	metas []input // with a name
	links []link
	text  []byte
}

// A form is one that a person can send.
type form struct {
	method string // in capitals
	action *url.URL
	media  string
	inputs []input
}

// An input is a field of a form, or a meta element.
type input struct{ name, kind, value string }

// A link leads elsewhere.
type link struct {
	rel, text string
	to        *url.URL
}

const (
	maxNodes  = 50_000
	maxInputs = 200
)

// isHTML reports whether a body is HTML: it says so, or it is text that begins with a mark.
func isHTML(media string, body []byte) bool {
	return strings.Contains(media, "html") ||
		(media == "" || media == "text/plain") && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// readPage reads what it can of a document; HTML has no mistakes.
func readPage(document []byte, at *url.URL) *page {
	p := &page{at: at, text: document}
	z := html.NewTokenizer(bytes.NewReader(document))
	z.SetMaxBuf(1 << 20)
	var open *form
	inLink := false
	for range maxNodes {
		switch z.Next() {
		case html.ErrorToken:
			return p
		case html.TextToken:
			if inLink {
				p.links[len(p.links)-1].text += strings.TrimSpace(string(z.Text()))
			}
		case html.EndTagToken:
			switch name, _ := z.TagName(); atom.Lookup(name) {
			case atom.Form:
				open = nil
			case atom.A:
				inLink = false
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch tag := atom.Lookup(name); tag {
			case atom.Base:
				p.base(attributes(z))
			case atom.Form:
				open = p.form(attributes(z))
			case atom.Input, atom.Button, atom.Select, atom.Textarea:
				p.input(open, tag, attributes(z))
			case atom.Meta:
				if a := attributes(z); a["name"] != "" && len(p.metas) < maxInputs {
					p.metas = append(p.metas, input{a["name"], "meta", a["content"]})
				}
			case atom.A, atom.Link:
				inLink = p.link(attributes(z)) && tag == atom.A
			}
		}
	}
	return p
}

func attributes(z *html.Tokenizer) map[string]string {
	all := map[string]string{}
	for range 100 {
		key, value, more := z.TagAttr()
		if _, twice := all[string(key)]; !twice && len(key) > 0 {
			all[string(key)] = string(value)
		}
		if !more {
			break
		}
	}
	return all
}

func (p *page) resolve(ref string) *url.URL {
	u, err := p.at.Parse(strings.TrimSpace(ref))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	u.Fragment, u.RawFragment, u.User = "", "", nil
	return u
}

func (p *page) base(a map[string]string) {
	if u := p.resolve(a["href"]); u != nil && a["href"] != "" {
		p.at = u
	}
}

func (p *page) form(a map[string]string) *form {
	if len(p.forms) >= maxInputs {
		return nil
	}
	f := form{method: strings.ToUpper(a["method"]), action: p.resolve(a["action"]), media: strings.ToLower(a["enctype"])}
	if f.method == "" {
		f.method = "GET"
	}
	p.forms = append(p.forms, f)
	return &p.forms[len(p.forms)-1]
}

// input adds a field to the form that is open; without one, to a form that has no action: a script sends it.
func (p *page) input(open *form, tag atom.Atom, a map[string]string) {
	kind := strings.ToLower(a["type"])
	if tag == atom.Button && a["name"] == "" || a["name"] == "" && a["id"] == "" {
		return
	}
	if tag != atom.Input {
		kind = tag.String()
	} else if kind == "" {
		kind = "text"
	}
	if open == nil {
		if len(p.forms) == 0 || p.forms[len(p.forms)-1].action != nil {
			p.forms = append(p.forms, form{})
		}
		open = &p.forms[len(p.forms)-1]
	}
	name := a["name"]
	if name == "" {
		name = a["id"]
	}
	if len(open.inputs) < maxInputs {
		open.inputs = append(open.inputs, input{name, kind, a["value"]})
	}
}

func (p *page) link(a map[string]string) bool {
	u := p.resolve(a["href"])
	if u == nil || a["href"] == "" || len(p.links) >= maxInputs {
		return false
	}
	p.links = append(p.links, link{rel: strings.ToLower(a["rel"]), to: u})
	return true
}

// hidden are the values that a page gives its scripts and forms to show.
func (p *page) hidden() (all []input) {
	for _, f := range p.forms {
		for _, i := range f.inputs {
			if i.kind == "hidden" && i.value != "" {
				all = append(all, i)
			}
		}
	}
	return append(all, p.metas...)
}
