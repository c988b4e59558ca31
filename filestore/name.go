package filestore

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The names of files. Whatever is in a folder of sessions has one of these.
const (
	recordExt = ".session"     // a record
	lockExt   = ".lock"        // what is locked for a record or for the making of a key
	keyFile   = "sessions.key" // DefaultKeys
)

// ours reports whether a file in a folder of sessions belongs there.
func ours(name string) bool {
	return strings.HasPrefix(name, keyFile) || strings.Contains(name, recordExt)
}

// fileName is the file of key: something to recognize it by, and a hash that tells all keys apart, also on file
// systems that take a for A.
func fileName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return strings.Trim(readable(key), "-") + "-" + hex.EncodeToString(sum[:16]) + recordExt
}

// readable is what of key can be part of a file's name anywhere.
func readable(key string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(key) {
		switch {
		case b.Len() == 80:
			return b.String()
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return b.String()
}
