package endpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// fields is what the call's body (for GET, its query) carries for g: the fixed fields, over them the credentials but
// for those that are spent elsewhere (nested objects member by member), and the tokens where settings name a field for
// them.
func (c *Call) fields(g auth.Grant, spent map[string]bool) (map[string]any, error) {
	all := map[string]any{}
	maps.Copy(all, c.Fields)
	if g.Kind == auth.KindLogin {
		credentials, err := credentialFields(g.Credentials)
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(credentials, func(name string, _ any) bool { return spent[name] })
		if len(credentials) > 0 && c.Method == http.MethodGet {
			return nil, errors.New("credentials would travel in the query of a GET, which ends up in logs; " +
				"set login.method to POST, or give them in login.headers")
		}
		overlay(all, credentials)
	}
	if token := g.Old.RefreshToken; !token.IsZero() && c.RefreshTokenField != "" {
		c.set(all, c.RefreshTokenField, token.Reveal())
	}
	if token := g.Old.AccessToken; !token.IsZero() && c.AccessTokenField != "" {
		c.set(all, c.AccessTokenField, token.Reveal())
	}
	return all, nil
}

// overlay puts fields over those of object, nested objects member by member. What object holds is not changed: it may be
// the settings' own.
func overlay(object, fields map[string]any) {
	for name, value := range fields {
		below, ok := object[name].(map[string]any)
		above, both := value.(map[string]any)
		if ok && both {
			merged := maps.Clone(below)
			overlay(merged, above)
			value = merged
		}
		object[name] = value
	}
}

func (c *Call) sendsAccessToken() bool {
	return c.AccessTokenField != "" || c.AccessTokenHeader != "" || c.uses["access_token"]
}

func (c *Call) sendsRefreshToken() bool {
	return c.RefreshTokenField != "" || c.RefreshTokenHeader != "" || c.uses["refresh_token"]
}

// set puts value under name, which in JSON may be a dotted path. Objects on the way are copied: they may be the
// settings' own.
func (c *Call) set(object map[string]any, name, value string) {
	if c.Encoding == "json" && c.Method != http.MethodGet {
		for {
			first, rest, nested := strings.Cut(name, ".")
			if !nested || first == "" || rest == "" {
				break
			}
			inner := map[string]any{}
			if present, ok := object[first].(map[string]any); ok {
				maps.Copy(inner, present)
			}
			object[first] = inner
			object, name = inner, rest
		}
	}
	object[name] = value
}

// encode writes fields as the call's encoding wants them. Without fields there is no body and no Content-Type, unless the
// settings have an empty map of them.
func (c *Call) encode(fields map[string]any) (body []byte, contentType string, err error) {
	if len(fields) == 0 && c.Fields == nil || c.Method == http.MethodGet {
		return nil, "", nil
	}
	if c.Encoding == "form" {
		return []byte(formValues(fields).Encode()), "application/x-www-form-urlencoded", nil
	}
	body, err = json.Marshal(fields)
	if err != nil {
		return nil, "", errors.New("the fields of the body cannot be written as JSON; give strings, numbers, arrays and objects")
	}
	return body, "application/json", nil
}

// address is the call's URL; for GET the fields are added to its query, which is kept as it is written.
func (c *Call) address(fields map[string]any) *url.URL {
	if c.Method != http.MethodGet || len(fields) == 0 {
		return c.target
	}
	u := *c.target
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+formValues(fields).Encode(), "&")
	return &u
}

// credentialFields reads what a caller gave to Client.Login. Errors never show it.
func credentialFields(v any) (map[string]any, error) {
	var document []byte
	switch v := v.(type) {
	case nil:
		return nil, nil
	case url.Values:
		return response.ListFields(v), nil
	case map[string][]string:
		return response.ListFields(v), nil
	case []byte:
		document = v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("credentials of type %T cannot be written as JSON; give a map, a struct or url.Values", v)
		}
		document = b
	}
	if bytes.Contains(document, []byte(`"`+auth.Redacted+`"`)) {
		return nil, errors.New("credentials hold a Secret, which writes itself as [redacted]; give its Reveal()")
	}
	decoded, _ := response.DecodeJSON(document)
	object, ok := decoded.(map[string]any)
	if !ok && string(document) != "null" {
		return nil, fmt.Errorf("credentials of type %T are not one JSON object; give a map, a struct or url.Values", v)
	}
	return object, nil
}

// formValues writes fields as form values: lists as repeated names, objects with their keys in brackets.
func formValues(fields map[string]any) url.Values {
	values := url.Values{}
	for name, v := range fields {
		addForm(values, name, v)
	}
	return values
}

func addForm(values url.Values, name string, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		values.Add(name, v)
	case []string:
		values[name] = append(values[name], v...)
	case []any:
		for _, item := range v {
			addForm(values, name, item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			addForm(values, name+"["+key+"]", v[key])
		}
	default: // numbers and booleans; anything else as it is in JSON
		b, _ := json.Marshal(v)
		values.Add(name, strings.Trim(string(b), `"`))
	}
}
