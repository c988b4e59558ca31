package upload

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Form makes a multipart/form-data body (RFC 7578) of fields as curl's -F has them: NAME=TEXT, NAME=@FILE for a file, and
// NAME=<FILE for a file's content as text; behind a file, or a text, ;type=MEDIA-TYPE and ;filename=NAME. A file named "-"
// is stdin.
func Form(fields []string, stdin io.Reader) (*Body, error) {
	boundary := rand.Text()
	b := &Body{Type: "multipart/form-data; boundary=" + boundary}
	for _, text := range fields {
		f, err := parseField(text)
		if err != nil {
			return nil, err
		}
		content, err := f.content(stdin)
		if err != nil {
			return nil, err
		}
		b.add("--" + boundary + "\r\n" + f.header())
		b.parts = append(b.parts, content)
		b.add("\r\n")
	}
	b.add("--" + boundary + "--\r\n")
	return b, nil
}

func (b *Body) add(text string) {
	b.parts = append(b.parts, part{text: text, size: int64(len(text))})
}

// A field is one of a form.
type field struct {
	name, text    string
	file          string // of whose content it is; "": text
	sent          bool   // as a file, with its name
	mediaType, as string
}

// parseField reads a field. An error never shows its value.
func parseField(text string) (field, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return field{}, errors.New("a field of the form lacks its name: write NAME=TEXT or NAME=@FILE")
	}
	f := field{name: name}
	value, f.mediaType, f.as = options(value)
	if strings.ContainsFunc(strings.NewReplacer("\r", "", "\n", "").Replace(name+f.as)+f.mediaType, unicode.IsControl) {
		return field{}, errors.New("the name, the type or the file name of a field has control characters")
	}
	switch {
	case strings.HasPrefix(value, "@"):
		f.file, f.sent = value[1:], true
	case strings.HasPrefix(value, "<"):
		f.file = value[1:]
	default:
		f.text = value
		return f, nil
	}
	if f.file == "" {
		return field{}, fmt.Errorf("the field %s of the form lacks the name of its file", name)
	}
	return f, nil
}

// options takes ;type= and ;filename= off a value. Another semicolon is part of it.
func options(value string) (rest, mediaType, as string) {
	for {
		i := strings.LastIndexByte(value, ';')
		if i < 0 {
			return value, mediaType, as
		}
		name, option, _ := strings.Cut(value[i+1:], "=")
		switch strings.TrimSpace(name) {
		case "type":
			mediaType = option
		case "filename":
			as = strings.Trim(option, `"`)
		default:
			// A parameter of the media type, such as charset, has a semicolon of its own.
			before := value[:i]
			if j := strings.LastIndex(before, ";type="); j >= 0 && !strings.ContainsAny(before[j+1:], ";") {
				return before[:j], value[j+len(";type="):], as
			}
			return value, mediaType, as
		}
		value = value[:i]
	}
}

// content is where the field's content comes from.
func (f *field) content(stdin io.Reader) (part, error) {
	switch f.file {
	case "":
		return part{text: f.text, size: int64(len(f.text))}, nil
	case "-":
		b, err := io.ReadAll(stdin)
		return part{text: string(b), size: int64(len(b))}, err
	}
	info, err := os.Stat(f.file)
	if err != nil {
		return part{}, err
	}
	if !info.Mode().IsRegular() { // a pipe has no size, and can be read once
		b, err := os.ReadFile(f.file)
		return part{text: string(b), size: int64(len(b))}, err
	}
	return part{file: f.file, size: info.Size()}, nil
}

// header is that of the field's part, with the blank line after it.
func (f *field) header() string {
	disposition := `form-data; name="` + escape(f.name) + `"`
	mediaType := f.mediaType
	if as := cmp.Or(f.as, filepath.Base(f.file)); f.sent || f.as != "" {
		disposition += `; filename="` + escape(as) + `"`
		mediaType = cmp.Or(mediaType, mime.TypeByExtension(filepath.Ext(as)), "application/octet-stream")
	}
	header := "Content-Disposition: " + disposition + "\r\n"
	if mediaType != "" {
		header += "Content-Type: " + strings.TrimSpace(mediaType) + "\r\n"
	}
	return header + "\r\n"
}

// escape writes a name as browsers do in a quoted string (the HTML standard, multipart/form-data encoding algorithm).
func escape(name string) string {
	return strings.NewReplacer("\n", "%0A", "\r", "%0D", `"`, "%22").Replace(name)
}
