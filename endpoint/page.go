package endpoint

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/response"
	tokenizer "golang.org/x/net/html"
)

// fieldIn is the value of the first form field of that name in an HTML page; ok reports whether there is one.
func fieldIn(page []byte, name string) (value string, ok bool) {
	return attributeIn(page, "input", name, "value")
}

// metaIn is the content of the first meta element of that name in an HTML page.
func metaIn(page []byte, name string) (content string, ok bool) {
	return attributeIn(page, "meta", name, "content")
}

// attributeIn looks for the first element of that name attribute, and returns its attribute wanted. Comments and the
// text of scripts are no elements.
func attributeIn(page []byte, element, name, wanted string) (value string, ok bool) {
	z := tokenizer.NewTokenizer(bytes.NewReader(page))
	z.SetMaxBuf(response.MaxBody)
	for {
		switch z.Next() {
		case tokenizer.ErrorToken: // the end of the page, or of what can be read of it
			return "", false
		case tokenizer.StartTagToken, tokenizer.SelfClosingTagToken:
			tag := string(z.Raw()) // TagName lowers the case in place
			if found, _ := z.TagName(); string(found) != element {
				continue
			}
			tag = tag[1+len(element):]
			if got, ok := attribute(tag, "name"); ok && got == name {
				value, _ = attribute(tag, wanted)
				return value, true
			}
		}
	}
}

// attribute is the value of an attribute in a start tag, without its name (HTML section 13.2.5.33). The tokenizer has
// attributes, too; but whoever calls for them links its table of 2,231 character references, which every program with
// this package would keep, and each garbage collection mark. The standard library makes its own when it is asked.
func attribute(tag, name string) (value string, ok bool) {
	for _, m := range attributes().FindAllStringSubmatch(tag, -1) {
		if strings.EqualFold(m[1], name) {
			value = newlines.Replace(m[2] + m[3] + m[4]) // of three spellings, two are empty
			return references().ReplaceAllStringFunc(value, html.UnescapeString), true
		}
	}
	return "", false
}

var (
	// attributes matches a name and, if there is one, a value in double quotes, in single quotes, or in none.
	attributes = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`([^\s/=>]+|=[^\s/=>]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*))?)?`)
	})
	// references matches a character reference that counts in an attribute: "&copy=1" there is no sign (HTML section 13.2.5.73).
	references = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z0-9]+;)`)
	})
	newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD")
)
