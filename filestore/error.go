package filestore

import (
	"errors"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/seal"
)

// ErrFolderGone: the folder of the sessions was removed while it was in use. It is not made again: what was in it
// may come back.
var ErrFolderGone = privatefile.ErrFolderGone

var errConflict = conflictError{}

// conflictError is how a store says that somebody else has changed the record.
type conflictError struct{}

func (conflictError) Error() string  { return "somebody else has changed the record, without its lock" }
func (conflictError) Conflict() bool { return true }

// Error says what could not be done to which file. Errors of package seal, of package io/fs and of the operating
// system are found in it with errors.Is and errors.As; a *seal.KeyError names the key that a record needs.
type Error struct {
	Op   string // "open", "lock", "read", "save", ...
	Path string
	Err  error
}

// Error says what failed, why, and what to do.
func (e *Error) Error() string {
	text := "filestore: " + e.Op + " " + e.Path + ": " + privatefile.Reason(e.Err).Error()
	if do := advice(e.Err); do != "" {
		text += "; " + do
	}
	return text
}

// Hint says what to do, "" if that is plain. Error says it, too.
func (e *Error) Hint() string { return advice(e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fail wraps err, unless it already says what failed.
func fail(op, path string, err error) error {
	if _, said := errors.AsType[*Error](err); said {
		return err
	}
	return &Error{Op: op, Path: path, Err: err}
}

// advice is what can be done about err, "" if that is plain.
func advice(err error) string {
	if e, ok := errors.AsType[*seal.KeyError](err); ok {
		if strings.Contains(e.Source, EnvKey) {
			return "bring the key back (the one before may be in " + EnvKey + "_OLD), or log in again"
		}
		return "bring the key back, or log in again"
	}
	for _, a := range []struct {
		is  error
		say string
	}{
		{seal.ErrDamaged, "put it back from a backup, or log in again"},
		{seal.ErrVersion, "use the program's newer version, or log in again"},
		{seal.ErrName, "put it back where it was, or log in again"},
		{seal.ErrMalformedKey, "put the key back from a backup, or delete it and log in again"},
		{seal.ErrUnavailable, "add a key that is available, like filestore.KeyFile"},
		{errConflict, "see that nothing deletes the lock files, and that the file system has locks"},
	} {
		if errors.Is(err, a.is) {
			return a.say
		}
	}
	return privatefile.Advice(err)
}
