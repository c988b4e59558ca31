package discover_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// settings are a Result's as the tool writes them, without what is empty.
func settings(t *testing.T, r discover.Result) string {
	t.Helper()
	document, err := json.Marshal(r.Settings)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	if err := json.Unmarshal(document, &all); err != nil {
		t.Fatal(err)
	}
	attach, _ := json.Marshal(r.Attach)
	var a map[string]any
	json.Unmarshal(attach, &a)
	all["attach"], all["base_url"] = a, r.BaseURL
	if r.Origins != nil {
		all["origins"] = r.Origins
	}
	all["ask"] = r.Ask
	if r.RejectedStatus != nil {
		all["rejected_status"] = r.RejectedStatus
	}
	if r.RejectedIf != nil {
		all["rejected_if"] = r.RejectedIf
	}
	all["hand_out_header"] = r.HandOutHeader
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(pruned(all))
	return strings.TrimSpace(b.String())
}

func pruned(v any) any {
	o, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for name, inner := range o {
		if name != "fields" {
			inner = pruned(inner)
		}
		o[name] = inner
		if m, ok := inner.(map[string]any); inner == nil || inner == "" || inner == false || ok && len(m) == 0 {
			delete(o, name)
		}
	}
	return o
}

func learned(t *testing.T, text string) discover.Result {
	t.Helper()
	r, err := discover.Recording(bytes.NewReader(hartest.File("test", hartest.Parse(text))))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
