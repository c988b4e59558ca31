// Package cookiefile reads files of cookies as curl and the export of browsers write them.
package cookiefile

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// Read reads a file in Netscape's format and returns the cookies that concern one of hosts: such files hold those of other
// sites, too. Errors never show values.
func Read(file string, hosts []string) ([]auth.Cookie, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var fit []auth.Cookie
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		c, ok, err := parseCookie(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if ok && concerns(&c, hosts) {
			fit = append(fit, c)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(fit) == 0 {
		return nil, fmt.Errorf("none of them is for %s, or all of them have ended", strings.Join(hosts, " or "))
	}
	return fit, nil
}

// parseCookie reads one line: domain, whether subdomains get it, path, Secure, end, name, value, with tabs between.
// It is not ok for comments and for cookies that have ended.
func parseCookie(line string) (c auth.Cookie, ok bool, err error) {
	line = strings.TrimRight(line, "\r")
	line, httpOnly := strings.CutPrefix(line, "#HttpOnly_")
	if strings.TrimSpace(line) == "" || line[0] == '#' {
		return c, false, nil
	}
	fields := strings.Split(line, "\t")
	if len(fields) == 6 {
		fields = append(fields, "") // an empty value
	}
	if len(fields) != 7 {
		return c, false, errors.New("it does not have the seven fields of the format, with tabs between them")
	}
	end, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return c, false, errors.New("its fifth field, the end, is not a Unix time")
	}
	value, quoted := strings.CutPrefix(fields[6], `"`)
	if quoted {
		value = strings.TrimSuffix(value, `"`)
	}
	c = auth.Cookie{
		Name: fields[5], Value: auth.NewSecret(value), Quoted: quoted, HttpOnly: httpOnly, Path: fields[2],
		Domain: strings.ToLower(strings.TrimPrefix(fields[0], ".")), HostOnly: !strings.EqualFold(fields[1], "TRUE"),
		Secure: strings.EqualFold(fields[3], "TRUE"),
	}
	if end > 0 {
		c.Expires = time.Unix(end, 0)
	}
	return c, end == 0 || c.Expires.After(time.Now()), nil
}

// concerns reports whether one of hosts may get c.
func concerns(c *auth.Cookie, hosts []string) bool {
	for _, host := range hosts {
		if host == c.Domain || !c.HostOnly && strings.HasSuffix(host, "."+c.Domain) {
			return true
		}
	}
	return false
}
