// Package seal encrypts what a store writes down, and knows where the keys are.
//
// A sealed record names the source of its key and the name it is kept under, in the clear; AES-256-GCM (NIST SP
// 800-38D) protects the content and vouches for the rest, so that records can't be swapped or renamed. Each
// sealing derives a key of its own by HKDF-SHA256 (RFC 5869) from a random salt, so that no number of records
// wears the key out. An older version of the same record put back in its place is not noticed.
//
// Programs use it through a store, and meet Key here:
//
//	filestore.Open(filestore.Config{Dir: dir, Keys: []seal.Key{keyringstore.Key("myapp"), filestore.KeyFile(path)}})
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// The form of a sealed record, version 1:
//
//	magic    4 bytes
//	version  1 byte
//	key id   8 bytes, HKDF of the key: tells keys apart without telling anything about them
//	salt     32 bytes, random for each sealing
//	source   length (uvarint), bytes
//	name     length (uvarint), bytes
//	nonce    12 bytes
//	content  encrypted, with a tag of 16 bytes; all above but the nonce is its additional data
const (
	magic    = "\x89slr"
	version  = 1
	idSize   = 8
	saltSize = 32
)

// How an error of this package is to be taken. They come wrapped.
var (
	// ErrDamaged: this is no sealed record, or it was cut short or changed.
	ErrDamaged = errors.New("the record is damaged: it was cut short or changed, or is no sealed record at all")
	// ErrVersion: the record is of another version of the form.
	ErrVersion = errors.New("the record was written by another version of this program")
	// ErrName: the record is a sound one, of another name.
	ErrName = errors.New("the record belongs to another name: it was moved or copied here")
)

// Header is what a sealed record says in the clear. Only opening the record proves that it is true.
type Header struct {
	// Source is the source of the key, in words; see Key.
	Source string
	// Name is what the record is kept under.
	Name string
	// Empty says that the content is empty.
	Empty bool

	id [idSize]byte
}

// ReadHeader reads the header of a sealed record, without any key.
func ReadHeader(sealed []byte) (Header, error) {
	p, err := parse(sealed)
	return p.Header, err
}

// parts are the pieces of a sealed record.
type parts struct {
	Header
	salt []byte
	head []byte // all that is in the clear
	body []byte // nonce and content
}

const overhead = 12 + 16 // nonce and tag

func parse(sealed []byte) (parts, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(magic))
	if !ok || len(rest) == 0 {
		return parts{}, ErrDamaged
	}
	if rest[0] != version {
		return parts{}, fmt.Errorf("%w (version %d, this one reads %d)", ErrVersion, rest[0], version)
	}
	if rest = rest[1:]; len(rest) < idSize+saltSize {
		return parts{}, ErrDamaged
	}
	var p parts
	copy(p.id[:], rest)
	p.salt, rest = rest[idSize:idSize+saltSize], rest[idSize+saltSize:]
	for _, field := range []*string{&p.Source, &p.Name} {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return parts{}, ErrDamaged
		}
		*field, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	}
	if len(rest) < overhead {
		return parts{}, ErrDamaged
	}
	p.head, p.body, p.Empty = sealed[:len(sealed)-len(rest)], rest, len(rest) == overhead
	return p, nil
}

// Sealer seals records with one key. It is immutable and safe for concurrent use.
type Sealer struct {
	source string
	key    []byte
	id     [idSize]byte
}

func newSealer(source string, key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key in %s has %d bytes, want %d", source, len(key), KeySize)
	}
	id, err := hkdf.Key(sha256.New, key, nil, "silentrefresh key id", idSize)
	if err != nil {
		return nil, err
	}
	return &Sealer{source: source, key: bytes.Clone(key), id: [idSize]byte(id)}, nil
}

// Source is the source of the key, in words; see Key.
func (s *Sealer) Source() string { return s.source }

// Seal encrypts content as the record kept under name.
func (s *Sealer) Seal(name string, content []byte) ([]byte, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	aead, err := s.aead(salt)
	if err != nil {
		return nil, err
	}
	head := append(make([]byte, 0, 128+len(name)+len(content)), magic...)
	head = append(head, version)
	head = append(head, s.id[:]...)
	head = append(head, salt...)
	for _, field := range []string{s.source, name} {
		head = binary.AppendUvarint(head, uint64(len(field)))
		head = append(head, field...)
	}
	return aead.Seal(head, nil, content, head), nil
}

// open decrypts what was sealed with the same key under name. An empty content is not nil.
func (s *Sealer) open(p parts, name string) ([]byte, error) {
	aead, err := s.aead(p.salt)
	if err != nil {
		return nil, err
	}
	content, err := aead.Open([]byte{}, nil, p.body, p.head)
	if err != nil {
		return nil, ErrDamaged
	}
	if p.Name != name {
		return nil, ErrName
	}
	return content, nil
}

// aead is the cipher of one sealing. Its key is used once, so the random nonce that it puts before the content
// could not collide even if there were many.
func (s *Sealer) aead(salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, s.key, salt, "silentrefresh record", KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
