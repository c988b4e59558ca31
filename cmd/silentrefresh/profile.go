package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/privatefile"
)

// A profile is what a session is used with: the settings that were given at its login. They are kept in a file of
// their own beside the session, because they are needed before it can be found. Settings may hold an API key or a
// client secret, so only the owner may read that file.
type profile struct {
	Session string          `json:"session"`
	Config  json.RawMessage `json:"config"`
	CACert  string          `json:"cacert,omitempty"`

	config *config // Config, parsed
	base   *url.URL
	kept   bool                       // there is a file of it
	newer  map[string]json.RawMessage // what the file has that this version does not know
	remark error                      // names the settings among Config that this version does not know
}

// newProfile reads the settings that are going to be kept as they stand.
func newProfile(session string, document json.RawMessage, cacert string) (*profile, error) {
	p := &profile{Session: cmp.Or(session, "default"), Config: document, CACert: cacert}
	return p, p.parse()
}

func (p *profile) parse() (err error) {
	if p.config, err = parseConfig(p.Config); err != nil {
		return err
	}
	return p.parseBase()
}

// parseKept is parse for what was kept, maybe by a newer version: what this one does not know stays there, and is remarked
// on.
func (p *profile) parseKept() (err error) {
	if p.config, p.remark = parseConfig(p.Config); p.remark != nil {
		if p.config, err = parseKnown(p.Config); err != nil {
			return p.remark
		}
	}
	return p.parseBase()
}

func (p *profile) parseBase() (err error) {
	if p.base, err = url.Parse(p.config.BaseURL); err != nil {
		return errors.New("base_url cannot be parsed; write it as https://api.example.com")
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *profile) UnmarshalJSON(document []byte) error {
	type known profile // without this method
	if err := json.Unmarshal(document, (*known)(p)); err != nil {
		return err
	}
	if err := json.Unmarshal(document, &p.newer); err != nil {
		return err
	}
	for _, name := range []string{"session", "config", "cacert"} {
		delete(p.newer, name)
	}
	return nil
}

// document is p as it is kept, with what was there before that this version does not know.
func (p *profile) document(was *profile) ([]byte, error) {
	document, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	if was != nil {
		maps.Copy(members, was.newer)
	}
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	return json.MarshalIndent(members, "", "  ")
}

// at reports whether base is p's base URL, in whatever spelling: two paths of one origin are two servers.
func (p *profile) at(base *url.URL) bool {
	return originOf(p.base) == originOf(base) && path.Clean("/"+p.base.Path) == path.Clean("/"+base.Path)
}

// covers reports whether u is p's base URL, or below it.
func (p *profile) covers(u *url.URL) bool {
	base, below := path.Clean("/"+p.base.Path), path.Clean("/"+u.Path)
	return originOf(p.base) == originOf(u) && (base == "/" || below == base || strings.HasPrefix(below, base+"/"))
}

// originOf is "" for a URL that has none.
func originOf(u *url.URL) string {
	o, err := origin.Of(u)
	if err != nil {
		return ""
	}
	return o.String()
}

// label names p to people.
func (p *profile) label() string {
	if p.Session == "default" {
		return p.config.BaseURL
	}
	return p.config.BaseURL + " (session " + p.Session + ")"
}

// profiles is the folder that holds them. It is kept as the sessions are: closed to others, and read file by file.
type profiles string

var errNoSettings = errors.New("they are damaged, or of another version of this program")

// settingsExt is what the names of settings end with.
const settingsExt = ".json"

// open makes sure that the folder is there and closed to others, and returns its path.
func (dir profiles) open() (string, error) {
	ours := func(name string) bool { return strings.Contains(name, settingsExt) || strings.HasSuffix(name, ".tmp") }
	path, err := privatefile.MakeFolder(string(dir), ours, settingsLog)
	if err != nil {
		return "", settingsError(string(dir), err)
	}
	return path, nil
}

// list returns all of them, by base URL and session. If some can't be read, it returns the others with an error that names
// each.
func (dir profiles) list() ([]*profile, error) {
	if _, err := os.Stat(string(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	path, err := dir.open()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, settingsError(path, err)
	}
	var all []*profile
	var unread []error
	for _, e := range entries {
		if filepath.Ext(e.Name()) != settingsExt {
			continue
		}
		p, err := readSettings(filepath.Join(path, e.Name()))
		switch {
		case err != nil:
			unread = append(unread, err)
		case p != nil: // else logged out just now
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *profile) int {
		return cmp.Or(strings.Compare(a.config.BaseURL, b.config.BaseURL), strings.Compare(a.Session, b.Session))
	})
	return all, errors.Join(unread...)
}

// check fails if the profile under name is there and can't be read.
func (dir profiles) check(name string) error {
	path, err := dir.open()
	if err != nil {
		return err
	}
	_, err = readSettings(filepath.Join(path, name))
	return err
}

// readSettings reads a profile, nil if there is none. What others may have changed is not believed: it says where the
// credential goes.
func readSettings(file string) (*profile, error) {
	document, err := privatefile.ReadPlain(file, settingsLog)
	if err == nil && document == nil {
		return nil, nil
	}
	p := &profile{kept: true}
	if err == nil && json.Unmarshal(document, p) != nil {
		err = errNoSettings // the cause may quote a secret
	}
	if err == nil {
		err = p.parseKept()
	}
	if err != nil {
		return nil, settingsError(file, err)
	}
	return p, nil
}

// settingsError says which settings can't be read or written, and what can be done.
func settingsError(path string, err error) error {
	text := fmt.Errorf("the settings in %s: %w", path, privatefile.Reason(err))
	if do := privatefile.Advice(err); do != "" {
		return fmt.Errorf("%w; %s", text, do)
	}
	return text
}

// save writes p down under name. The session's lock is held, so what is beside from before was left by a process that was
// killed. Of what is there it keeps what another version has written and this one does not know; what can't be read is set
// aside.
func (dir profiles) save(name string, p *profile) error {
	path, err := dir.open()
	if err != nil {
		return err
	}
	file := filepath.Join(path, name)
	if err := privatefile.Sweep(file); err != nil {
		return settingsError(file, err)
	}
	was, err := readSettings(file)
	if err != nil {
		if _, err := privatefile.SetAside(file); err != nil {
			return settingsError(file, err)
		}
	}
	document, err := p.document(was)
	if err != nil {
		return err
	}
	return dir.write(name, document)
}

// write writes a file that only the owner may read.
func (dir profiles) write(name string, document []byte) error {
	path, err := dir.open()
	if err != nil {
		return err
	}
	file := filepath.Join(path, name)
	if err := privatefile.Replace(file, document, nil); err != nil {
		return settingsError(file, err)
	}
	return nil
}

// probe finds out whether there is room for the settings under name, before a login is spent on a session that could not
// be kept.
func (dir profiles) probe(name string) error {
	path, err := dir.open()
	if err != nil {
		return err
	}
	file := filepath.Join(path, name)
	if err := privatefile.Try(file, 16<<10); err != nil && !errors.Is(err, privatefile.ErrNoFile) { // that is set aside
		return settingsError(file, err)
	}
	return nil
}

// remove forgets the profile under name.
func (dir profiles) remove(name string) error {
	file := filepath.Join(string(dir), name)
	if err := privatefile.Remove(file); err != nil {
		return settingsError(file, err)
	}
	return nil
}
