package endpoint

import (
	"bytes"

	"github.com/silentrefresh/silentrefresh/internal/response"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// fieldIn is the value of the first form field of that name in an HTML page; ok reports whether there is one.
func fieldIn(page []byte, name string) (value string, ok bool) {
	return attributeIn(page, atom.Input, "name", name, "value")
}

// metaIn is the content of the first meta element of that name in an HTML page.
func metaIn(page []byte, name string) (content string, ok bool) {
	return attributeIn(page, atom.Meta, "name", name, "content")
}

// attributeIn looks for the first element whose attribute key is name, and returns its attribute wanted. Comments and
// the text of scripts are no elements.
func attributeIn(page []byte, element atom.Atom, key, name, wanted string) (value string, ok bool) {
	z := html.NewTokenizer(bytes.NewReader(page))
	z.SetMaxBuf(response.MaxBody)
	for {
		switch z.Next() {
		case html.ErrorToken: // the end of the page, or of what can be read of it
			return "", false
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == element && attribute(t, key) == name {
				return attribute(t, wanted), true
			}
		}
	}
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
