package discover

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/endpoint"
)

// An operation is one method of one path of an OpenAPI document.
type operation struct {
	method, path string
	media        string
	fields       []string // of the body, with dotted names
	kinds        map[string]string
	gives        []string // fields of the response
	secured      bool
}

const (
	maxOperations = 2000
	maxSchemas    = 100_000
)

// operations are those that could be a call.
func (s *spec) operations(paths map[string]any) (all []*operation) {
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods, _ := paths[path].(map[string]any)
		for _, method := range []string{"post", "put", "delete", "get"} {
			fields, ok := methods[method].(map[string]any)
			if ok && len(all) < maxOperations && !strings.Contains(path, "{") {
				all = append(all, s.operation(strings.ToUpper(method), path, fields))
			}
		}
	}
	return all
}

func (s *spec) operation(method, path string, fields map[string]any) *operation {
	o := &operation{method: method, path: path, kinds: map[string]string{}}
	security, given := fields["security"].([]any)
	o.secured = len(security) > 0 || !given && s.root["security"] != nil
	body := s.resolve(fields["requestBody"])
	content, _ := body["content"].(map[string]any)
	for _, media := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"} {
		if schema, ok := content[media].(map[string]any); ok {
			o.media = media
			s.properties(schema["schema"], "", nil, o.take)
			break
		}
	}
	s.parameters(o, fields)
	responses, _ := fields["responses"].(map[string]any)
	for _, status := range []string{"200", "201", "default"} {
		response := s.resolve(responses[status])
		schema := response["schema"] // version 2
		if content, ok := response["content"].(map[string]any); ok {
			for _, media := range slices.Sorted(maps.Keys(content)) {
				fields, _ := content[media].(map[string]any)
				schema = fields["schema"]
			}
		}
		s.properties(schema, "", nil, func(name, _ string) { o.gives = append(o.gives, name) })
	}
	return o
}

// take notes a field of the body.
func (o *operation) take(name, kind string) {
	if _, twice := o.kinds[name]; !twice && len(o.fields) < maxInputs {
		o.fields = append(o.fields, name)
		o.kinds[name] = kind
	}
}

// parameters reads a body as version 2 describes it.
func (s *spec) parameters(o *operation, fields map[string]any) {
	list, _ := fields["parameters"].([]any)
	for _, item := range list {
		p := s.resolve(item)
		switch textAt(p, "in") {
		case "body":
			o.media = "application/json"
			s.properties(p["schema"], "", nil, o.take)
		case "formData":
			o.media = "application/x-www-form-urlencoded"
			o.take(textAt(p, "name"), textAt(p, "format"))
		}
	}
}

// resolve follows a reference within the document.
func (s *spec) resolve(v any) map[string]any {
	object, _ := v.(map[string]any)
	for range 8 {
		ref, ok := object["$ref"].(string)
		if !ok {
			return object
		}
		var at any = s.root
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			inner, _ := at.(map[string]any)
			at = inner[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		}
		object, _ = at.(map[string]any)
	}
	return nil
}

// properties calls found for each field of a schema, with its format. A schema within itself counts once; above are
// the references that led to it.
func (s *spec) properties(schema any, path string, above []string, found func(name, kind string)) {
	outer, _ := schema.(map[string]any)
	ref := textAt(outer, "$ref")
	if s.left--; s.left < 0 || ref != "" && slices.Contains(above, ref) || len(above) > maxDepth {
		return
	}
	above = append(slices.Clip(above), ref)
	object := s.resolve(schema)
	for _, part := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := object[part].([]any)
		for _, item := range list[:min(len(list), 10)] {
			s.properties(item, path, above, found)
		}
	}
	fields, _ := object["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		inner := s.resolve(fields[name])
		if inner["properties"] != nil || inner["allOf"] != nil {
			s.properties(fields[name], path+name+".", above, found)
			continue
		}
		found(path+name, textAt(inner, "format"))
	}
}

// best is the operation with the most points, nil if none has any.
func best(all []*operation, points func(*operation) int) (found *operation) {
	most := 0
	for _, o := range all {
		if p := points(o); p > most {
			found, most = o, p
		}
	}
	return found
}

var (
	loginName  = regexp.MustCompile(`(?i)log-?_?in|sign-?_?in|token|session|auth`)
	answerName = regexp.MustCompile(`(?i)token|jwt|access$`)
)

func (o *operation) loginPoints() int {
	if o.method != http.MethodPost || o.password() == "" || signUp.MatchString(o.path) || len(o.fields) > 8 {
		return 0
	}
	points := 0
	if loginName.MatchString(o.path) {
		points += 10
	}
	if slices.ContainsFunc(o.gives, answerName.MatchString) {
		points += 20
	}
	return points
}

func (o *operation) refreshPoints() int {
	switch {
	case !refreshName.MatchString(o.path) || o.password() != "" || o.method == http.MethodDelete:
		return 0
	case o.method == http.MethodPost:
		return 2
	}
	return 1
}

func (o *operation) logoutPoints() int {
	switch {
	case !logoutName.MatchString(o.path):
		return 0
	case o.method == http.MethodPost:
		return 2
	}
	return 1
}

// password is the field that takes the password, "" if none does.
func (o *operation) password() string {
	for _, name := range o.fields {
		if o.kinds[name] == "password" || passwordName.MatchString(name) {
			return name
		}
	}
	return ""
}

func (o *operation) fieldNamed(pattern *regexp.Regexp) string {
	if i := slices.IndexFunc(o.fields, pattern.MatchString); i >= 0 {
		return o.fields[i]
	}
	return ""
}

// asks are the fields that a person fills in.
func (o *operation) asks() (ask []string) {
	for _, name := range o.fields {
		if name == o.password() || personName.MatchString(name) || codeName.MatchString(name) {
			ask = append(ask, name)
		}
	}
	return inOrder(ask)
}

func (o *operation) call(s *spec) endpoint.Call {
	c := endpoint.Call{URL: s.reference(o.path)}
	if o.method != http.MethodPost {
		c.Method = o.method
	}
	if o.media != "" && o.media != "application/json" {
		c.Encoding = "form"
	}
	return c
}
