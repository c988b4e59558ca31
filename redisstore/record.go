package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A revision is a record as it stands, or stood, in Redis. The zero value is that of a session never saved.
type revision struct {
	id   string
	data string // sealed
}

// A stamp says which save a record is. It stands before the content inside the seal, so that nobody who can write to Redis
// can make an older record pass for a newer one.
type stamp struct {
	number int64  // counts the saves
	id     string // drawn anew for each save
	before string // the names of those before it, the last one first
}

const (
	nameLength = 8 // of an id, to be told from the others of a session by
	// remembered is how many saves back a record names the ones that it was made from. Twice as many names have room,
	// for saves of which nobody knows whether they were written.
	remembered = 32
	maxNames   = 2 * remembered
)

func nameOf(id string) string { return id[:min(nameLength, len(id))] }

// next is the stamp of the save id, on top of s and of saves that may have been written after it.
func (s stamp) next(id string, maybe []string) stamp {
	names := strings.Fields(s.before)
	if s.id != "" {
		names = append([]string{nameOf(s.id)}, names...)
	}
	for _, id := range maybe {
		names = append([]string{nameOf(id)}, names...)
	}
	names = names[:min(maxNames, len(names))]
	return stamp{number: s.number + int64(len(maybe)) + 1, id: id, before: strings.Join(names, " ")}
}

// follows reports whether s was made from o, or from what came of it. That is how it is known that Redis has gone back from
// s to o. Where somebody has saved since it went back, what stands there is not what s was made from, whatever their
// numbers, and newer. No clock has a part in it: that of a promoted replica may be wrong.
func (s stamp) follows(o stamp) bool {
	switch {
	case s.id == "" || s.id == o.id:
		return false
	case o.id == "":
		return true
	}
	return strings.Contains(s.before, nameOf(o.id)) || o.number+remembered < s.number
}

// wrap is content with the stamp before it.
func (s stamp) wrap(content []byte) []byte {
	return append(fmt.Appendf(nil, "%d %s %s\n", s.number, s.id, s.before), content...)
}

// unwrap undoes wrap.
func unwrap(plain []byte) (s stamp, content []byte, err error) {
	head, content, ok := bytes.Cut(plain, []byte("\n"))
	number, rest, _ := strings.Cut(string(head), " ")
	s.id, s.before, _ = strings.Cut(rest, " ")
	s.number, err = strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || s.number <= 0 || s.id == "" {
		return stamp{}, nil, errNotRecord
	}
	return s, content, nil
}

var (
	errNotRecord = errors.New("what stands under the session's key is not a session; remove it, or use another Namespace")
	errMixed     = errors.New("id and data are not of the same save; restore the record from a backup, or delete it and log in again")
)

// parse reads the fields id and data.
func parse(fields []any) (revision, error) {
	if len(fields) != 2 {
		return revision{}, errNotRecord
	}
	if fields[0] == nil && fields[1] == nil {
		return revision{}, nil
	}
	id, _ := fields[0].(string)
	data, ok := fields[1].(string)
	if id == "" || !ok {
		return revision{}, errNotRecord
	}
	return revision{id: id, data: data}, nil
}

// look reads what stands in Redis.
func (s *Store) look(ctx context.Context, key string) (revision, error) {
	fields, err := lookScript.Run(ctx, s.rdb, []string{s.names(key).record}).Slice()
	if err != nil {
		return revision{}, err
	}
	return parse(fields)
}

// What comes of a compare-and-set.
const (
	conflicted = iota // the record is another one than expected
	written
	writtenBefore // by the same command, whose response was lost
)

// compareAndSet makes r the record where the record's id is one of expected.
func (s *Store) compareAndSet(ctx context.Context, key string, r revision, expected ...string) (outcome int, err error) {
	args := []any{r.id, r.data}
	for _, id := range expected {
		args = append(args, id)
	}
	return saveScript.Run(ctx, s.rdb, []string{s.names(key).record}, args...).Int()
}

// open decrypts r. Its content is nil for none, empty for a tombstone. With errMixed, which the data of another save than
// the one that r claims to be gives, it returns that save's stamp.
func (s *Store) open(ctx context.Context, key string, r revision) (stamp, []byte, error) {
	if r.id == "" {
		return stamp{}, nil, nil
	}
	plain, _, err := s.ring.Open(ctx, key, []byte(r.data))
	if err != nil {
		return stamp{}, nil, fmt.Errorf("decrypt the session: %w", err)
	}
	st, content, err := unwrap(plain)
	if err == nil && st.id != r.id {
		return st, nil, errMixed
	}
	return st, content, err
}
