package endpoint

import (
	"encoding/json"
	"net/url"

	"github.com/silentrefresh/silentrefresh/internal/response"
)

// in is the value in a response; ok reports whether there is one that is not empty.
func (v ValueAt) in(a *response.Response) (value string, ok bool) {
	switch {
	case v.JSON != "":
		found, _, _ := a.Lookup(v.JSON)
		switch found := found.(type) {
		case string:
			value = found
		case json.Number:
			value = found.String()
		}
	case v.Header != "":
		value = a.Header.Get(v.Header)
	case v.Cookie != "":
		if c := a.Cookie(v.Cookie); c != nil && !a.Deletes(c) {
			value = decoded(c.Value)
		}
	case v.Field != "":
		value, _ = fieldIn(a.Body, v.Field)
	case v.Meta != "":
		value, _ = metaIn(a.Body, v.Meta)
	}
	return value, value != ""
}

// where says what v is, for people.
func (v ValueAt) where() string {
	switch {
	case v.JSON != "":
		return "at " + v.JSON
	case v.Header != "":
		return "in the header " + v.Header
	case v.Cookie != "":
		return "in the cookie " + v.Cookie
	case v.Field != "":
		return "in the form field " + v.Field
	}
	return "in the meta element " + v.Meta
}

// decoded is a cookie's value as scripts read it: frameworks write it percent-encoded.
func decoded(value string) string {
	if decoded, err := url.PathUnescape(value); err == nil {
		return decoded
	}
	return value
}
