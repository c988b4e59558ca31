package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// A revision is a record as it stands, or stood, in Redis. The zero value is that of a session never saved.
type revision struct {
	version int64
	id      string
	data    string // sealed
}

var errNotRecord = errors.New("what stands under the session's key is not a session; remove it, or use another Namespace")

// parse reads the fields version, id and data.
func parse(fields []any) (revision, error) {
	if len(fields) != 3 {
		return revision{}, errNotRecord
	}
	if fields[0] == nil && fields[1] == nil && fields[2] == nil {
		return revision{}, nil
	}
	version, _ := fields[0].(string)
	id, _ := fields[1].(string)
	data, ok := fields[2].(string)
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil || n <= 0 || id == "" || !ok {
		return revision{}, errNotRecord
	}
	return revision{version: n, id: id, data: data}, nil
}

// look reads what stands in Redis.
func (s *Store) look(ctx context.Context, key string) (revision, error) {
	fields, err := lookScript.Run(ctx, s.rdb, []string{s.names(key).record}).Slice()
	if err != nil {
		return revision{}, err
	}
	return parse(fields)
}

// compareAndSet makes r the record where the record's id is one of expected, and returns its version, 0 for a
// conflict. Where r has a version already, it keeps it. wrote is false if r was the record already.
func (s *Store) compareAndSet(ctx context.Context, key string, r revision, expected ...string) (version int64, wrote bool, err error) {
	args := []any{r.id, r.data, ""}
	if r.version != 0 {
		args[2] = r.version
	}
	for _, id := range expected {
		args = append(args, id)
	}
	reply, err := saveScript.Run(ctx, s.rdb, []string{s.names(key).record}, args...).Int64Slice()
	if err != nil {
		return 0, false, err
	}
	return reply[0], reply[1] == 1, nil
}

// open decrypts r: nil for none, empty for a tombstone.
func (s *Store) open(ctx context.Context, key string, r revision) ([]byte, error) {
	if r.id == "" {
		return nil, nil
	}
	b, _, err := s.ring.Open(ctx, key, []byte(r.data))
	if err != nil {
		return nil, fmt.Errorf("redisstore: decrypt the session: %w", err)
	}
	return b, nil
}
