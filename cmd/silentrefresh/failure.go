package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/journey"
	"github.com/silentrefresh/silentrefresh/filestore"
)

// A failure is an error as people read it: what failed, why, and what to do.
type failure struct {
	what string
	why  string // "" if what says it all
	do   string // "" if there is nothing to do
	code int    // the exit status

	signal os.Signal // that killed a command, and is to kill this program, too; nil for none
}

// Error is what and why in one line.
func (f *failure) Error() string { return strings.TrimSuffix(f.what+": "+f.why, ": ") }

// print writes the lines there are.
func (f *failure) print(w io.Writer) {
	if f.what == "" {
		return
	}
	fmt.Fprintf(w, "silentrefresh: %s\n", f.what)
	below := strings.NewReplacer("\n", "\n       ")
	if f.why != "" {
		fmt.Fprintf(w, "  why: %s\n", below.Replace(f.why))
	}
	if f.do != "" {
		fmt.Fprintf(w, "  do:  %s\n", below.Replace(f.do))
	}
}

// usage is a failure of whoever wrote the command line or the settings.
func usage(why, do string) *failure { return &failure{what: why, do: do, code: exitUsage} }

// exitCode ends the program with a status and says nothing: what there is to say was said.
func exitCode(code int) *failure { return &failure{code: code} }

func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{what: plain(err), code: exitFailed}
}

// failed explains err, which kept what from happening.
func (a *app) failed(what string, err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	f := &failure{what: what, why: plain(err), code: exitFailed}
	refresh, isRefresh := errors.AsType[*auth.Error](err)
	switch {
	case errors.Is(err, silentrefresh.ErrNoSession):
		f.what, f.why, f.do, f.code = what+": nobody is logged in", "", a.loginCommand(), exitLogin
	case isRefresh && refresh.Interrupted && refresh.Refused:
		f.what += ": the session is over, interrupted"
		f.why = reason(refresh) + "; the response to an earlier attempt was lost (the process was killed, or the network\n" +
			"failed), and the server takes the credential for spent"
		f.do, f.code = a.loginCommand(), exitLogin
	case errors.Is(err, silentrefresh.ErrSessionOver):
		f.what, f.why = what+": the session is over", overReason(err)
		f.why += a.endedAt(f.why, isRefresh)
		f.do, f.code = a.loginCommand(), exitLogin
	case isRefresh:
		f.why, f.do = reason(refresh), a.advice(refresh)
	default:
		f.do = tlsAdvice(err)
	}
	if stored, ok := errors.AsType[*filestore.Error](err); ok && f.do == "" {
		f.do = stored.Hint()
		f.why = strings.TrimSuffix(f.why, "; "+f.do)
		if isLocked(stored) {
			f.do = "try again when the other process is done with the session"
		}
	}
	if f.code == exitFailed && passes(err) {
		f.code = exitPasses
	}
	return f
}

// unanswered explains err, for which a request got no response.
func (a *app) unanswered(name, method string, j *journey.Journey, err error) *failure {
	var f *failure
	switch j.Stage() {
	case journey.Unsent:
		return a.failed(name+" was not sent", err)
	case journey.Rejected:
		return a.failed(name+" was rejected, and not sent again", err)
	case journey.Begun:
		f = a.failed(name+" may have been sent, and no response came", err)
	default:
		f = a.failed(name+" was sent, and no response came", err)
	}
	if !journey.Repeatable(method) {
		f.code, f.do = exitFailed, "see whether it has taken effect before you send it again"
	}
	return f
}

// tlsAdvice is what to do where err says that there was no secure connection, "" for other errors.
func tlsAdvice(err error) string {
	if _, distrusted := errors.AsType[*tls.CertificateVerificationError](err); distrusted {
		return "if it is the server's own certificate, trust it with --cacert FILE"
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "there is no https at that port; if the URL is right otherwise, begin it with http://"
	}
	return ""
}

// reason says what the auth server returned, or why it did not respond.
func reason(e *auth.Error) string {
	var parts []string
	if e.Status != 0 {
		text := fmt.Sprintf("%s returned %d %s", e.Path, e.Status, statusOf(e))
		if !e.At.IsZero() {
			text += " at " + clock(e.At)
		}
		parts = append(parts, text)
	}
	if e.Err != nil {
		parts = append(parts, plain(e.Err))
	}
	return strings.Join(parts, ": ")
}

// statusOf is the error code of a response, else its status in words.
func statusOf(e *auth.Error) string {
	if e.Code != "" {
		return e.Code
	}
	return http.StatusText(e.Status)
}

// advice is what to do about e, in the words of the tool.
func (a *app) advice(e *auth.Error) string {
	switch {
	case e.Hint != "":
		return inToolWords(e.Hint)
	case tlsAdvice(e) != "":
		return tlsAdvice(e)
	case isStored(e):
		return "" // the store says it
	case !e.Until.IsZero():
		return "try again after " + clock(e.Until)
	case e.Op == auth.KindLogin && e.Refused:
		return "try again with the right credentials"
	case e.Op == auth.KindLogin:
		return "see whether the server's URL is right, or try again later"
	case e.Op == auth.KindRefresh && e.Interrupted:
		return "try again: what the server may have taken for spent is presented once more"
	case e.Op == auth.KindRefresh && !e.Refused:
		return "try again later; the session is not over"
	}
	return ""
}

// overReason is why a session is over, without what is said anyway.
func overReason(err error) string {
	if e, ok := errors.AsType[*auth.Error](err); ok {
		return reason(e)
	}
	why := strings.TrimPrefix(err.Error(), silentrefresh.ErrSessionOver.Error())
	why = strings.TrimPrefix(why, ": ")
	return inToolWords(strings.TrimSuffix(strings.TrimSuffix(why, "; call Login"), ": call Login"))
}

// endedAt is when the session ended, where another process was told and has written that down.
func (a *app) endedAt(why string, said bool) string {
	if said || a.client == nil || strings.Contains(why, ";") { // after advice it would be misread
		return ""
	}
	if ended := a.client.Status().SessionEnds; !ended.IsZero() && ended.Before(time.Now()) {
		return " at " + clock(ended)
	}
	return ""
}

var prefixes = strings.NewReplacer("silentrefresh: ", "", "filestore: ", "", "oauth: ", "", "authtest: ", "", "discover: ", "", "net/http: ", "")

// plain is err without prefixes that only help a programmer, and without the URL, whose query may hold a secret.
func plain(err error) string {
	if err == nil {
		return ""
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "no address is known for " + strconv.Quote(dns.Name)
	}
	text := inToolWords(prefixes.Replace(err.Error()))
	text = strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
	return strings.ReplaceAll(text, context.DeadlineExceeded.Error(), "it took too long")
}

// reasonOf is why a file was not written or read, without the name of the file, which the text before it has.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		err = path.Err
	}
	return err.Error()
}
