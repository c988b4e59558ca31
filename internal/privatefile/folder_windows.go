package privatefile

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// What a full, read-only or mounted place says.
const (
	errFull     = windows.ERROR_DISK_FULL
	errQuota    = windows.ERROR_DISK_QUOTA_EXCEEDED
	errReadOnly = windows.ERROR_WRITE_PROTECT
	errBusy     = windows.ERROR_BUSY
)

// closeFolder gives dir, and what is made in it, an access control list of the user and the system alone, unless
// it has one that lets nobody else in. It says so if there was anything to see. A folder with other things in it is
// not for us to change.
func closeFolder(dir string, ours func(string) bool, log *slog.Logger) error {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return err
	}
	closed, err := isClosed(dir, user.User.Sid)
	if closed || err != nil {
		return err
	}
	empty, err := onlyOurs(dir, ours)
	if err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;" + user.User.Sid.String() + ")(A;OICI;FA;;;SY)")
	if err != nil {
		return err
	}
	list, _, err := sd.DACL()
	if err != nil {
		return err
	}
	const protected = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, protected, nil, nil, list, nil); err != nil {
		return err
	}
	if !empty {
		log.Warn("others could read " + dir + ": only this user can now")
	}
	return nil
}

// isClosed reports whether dir's access control list lets in nobody but user, the system and administrators.
func isClosed(dir string, user *windows.SID) (bool, error) {
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return false, err
	}
	list, _, err := sd.DACL()
	if err != nil || list == nil { // no list lets everybody in
		return false, err
	}
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &entry); err != nil {
			return false, err
		}
		who := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
		if entry.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE && !who.Equals(user) &&
			!who.IsWellKnown(windows.WinLocalSystemSid) && !who.IsWellKnown(windows.WinBuiltinAdministratorsSid) &&
			!who.IsWellKnown(windows.WinCreatorOwnerSid) {
			return false, nil
		}
	}
	return true, nil
}

// closeFile has nothing to do: files have their folder's access control list.
func closeFile(*os.File, fs.FileInfo, *slog.Logger) error { return nil }

// checkAuthor has nothing to do: others can't write where their folder's access control list does not let them in.
func checkAuthor(string, fs.FileInfo) error { return nil }

// checkOwner has nothing to do, as checkAuthor.
func checkOwner(string, fs.FileInfo) error { return nil }

// checkPlace has nothing to do, as checkAuthor.
func checkPlace(string) error { return nil }

// lstat waits as openFile does.
func lstat(path string) (info fs.FileInfo, err error) {
	err = patiently(func() error {
		info, err = os.Lstat(path)
		return err
	})
	return info, err
}

// openFile waits for a rename of the file to be over.
func openFile(path string, flag int) (f *os.File, err error) {
	err = patiently(func() error {
		f, err = os.OpenFile(path, flag, 0o600)
		return err
	})
	return f, err
}

// replace puts the file at beside in the place of the one at path, at once. It waits for whoever is reading it.
func replace(beside, path string) error {
	return patiently(func() error { return os.Rename(beside, path) })
}

// patiently tries again for two seconds while somebody else has the file open: a reader of ours, a virus scanner,
// an indexer. Windows does not let a file that is open be replaced.
func patiently(try func() error) error {
	for begun, wait := time.Now(), time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := try()
		inUse := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !inUse || time.Since(begun) > 2*time.Second {
			return err
		}
		time.Sleep(wait)
	}
}

// syncFolder has nothing to do: Windows can't force a folder to the disk.
func syncFolder(string) error { return nil }
