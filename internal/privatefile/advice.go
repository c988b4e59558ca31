package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Reason leaves out of err what is said around it: the file, and the name of the system call.
func Reason(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// Advice is what can be done about err, "" if that is plain.
func Advice(err error) string {
	for _, a := range []struct {
		is  error
		say string
	}{
		{ErrFolderGone, "put it back, or start the program again and log in"},
		{ErrOpen, "use a folder of its own, or close it with chmod 700"},
		{ErrForeign, "see that it is as you left it, and let only its owner change it; or log in again, which writes it anew"},
		{ErrNoFile, "move it out of the way"},
		{ErrTooLarge, "move it out of the way"},
		{syscall.ENOTDIR, "move it out of the way"},
		{fs.ErrExist, "move it out of the way"},
		{syscall.ENOLCK, "use a folder on a file system with locks"},
		{errFull, "free some space"},
		{errQuota, "free some space"},
		{errReadOnly, "use a folder on a file system that can be written"},
		{errBusy, "mount the folder instead of the file"},
		{fs.ErrPermission, "make it accessible to this user, or use another folder"},
	} {
		if errors.Is(err, a.is) {
			return a.say
		}
	}
	return ""
}
