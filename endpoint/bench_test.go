package endpoint

import (
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// hostile are bodies of almost 1 MiB, each the worst for another part of the reader.
func hostile() map[string]string {
	const size = 1<<20 - 64
	fill := func(head, piece, tail string) string {
		return head + strings.TrimSuffix(strings.Repeat(piece, (size-len(head)-len(tail))/len(piece)), ",") + tail
	}
	return map[string]string{
		"wide":         `{` + numbered(size, `"k%":1,`) + `"z":1}`,
		"objects":      `{` + numbered(size, `"k%":{},`) + `"z":1}`,
		"wide objects": `{` + numbered(size/2, `"k%":{"a":{"b":"c"}},`) + `"z":{` + numbered(size/3, `"k%":"v",`) + `"z":1}}`,
		"deep":         strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat(`}`, 9000),
		"list":         fill(`{"errors":[`, `{"message":"x"},`, `]}`),
		"numbers":      fill(`{"errors":[`, `1,`, `]}`),
		"text":         fill(`{"message":"`, "token ", `"}`),
		"token":        fill(`{"accessToken":"`, "a.", `"}`),
		"spaces":       strings.Repeat(" ", size) + `{}`,
	}
}

// numbered repeats piece, with a number in place of %, up to size.
func numbered(size int, piece string) string {
	var b strings.Builder
	for i := 0; b.Len() < size-2*len(piece); i++ {
		b.WriteString(strings.ReplaceAll(piece, "%", itoa(i)))
	}
	return b.String()
}

func itoa(i int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	if i < len(digits) {
		return digits[i : i+1]
	}
	return itoa(i/len(digits)) + itoa(i%len(digits))
}

func BenchmarkHostileResponse(b *testing.B) {
	for name, body := range hostile() {
		for _, status := range []int{200, 400} {
			b.Run(name+map[int]string{200: "", 400: "/refused"}[status], func(b *testing.B) {
				call := callerOf(b, Settings{}, fakes.RespondJSON(status, body))
				call.setCookie("rt=r1")
				for b.Loop() {
					call.refresh(auth.Session{})
				}
			})
		}
	}
}
