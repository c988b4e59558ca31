package redisstore

import "github.com/redis/go-redis/v9"

// A record is a hash with two fields: data, the sealed session with its stamp, and id, drawn anew for each save, which the
// next save has to name. A tombstone is a record too, of an empty session: a holder of the session from before the logout
// cannot bring it back.
//
// All access goes through scripts, reading too: a cluster client may send a plain read to a replica that lags
// behind. They use what Redis 6.2 has.

// lookScript reads a record. KEYS: record.
var lookScript = redis.NewScript(`
return redis.call('HMGET', KEYS[1], 'id', 'data')`)

// lockScript takes the lock if it is free, or already ours because the client repeated a command whose response was
// lost. It returns {1, id, data}, or {0, milliseconds until the holder's lease ends}.
// The record is read first: where it is not a record, the error leaves no lock behind.
// KEYS: record, lock. ARGV: holder, lease in milliseconds.
var lockScript = redis.NewScript(`
local found = redis.call('HMGET', KEYS[1], 'id', 'data')
if redis.call('GET', KEYS[2]) == ARGV[1] or redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {1, found[1], found[2]}
end
return {0, redis.call('PTTL', KEYS[2])}`)

// renewScript makes our lease last anew and returns 1, or returns 0 if the lock is no longer ours.
// KEYS: lock. ARGV: holder, lease in milliseconds.
var renewScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

// unlockScript frees the lock if it is ours and wakes those who wait for it.
// KEYS: lock. ARGV: holder, channel, what to tell them.
var unlockScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`)

// saveScript is the compare-and-set that everything rests on: it writes only if the record is the one that the
// caller has read, or that the caller wrote after that without hearing whether it was written. It returns 1; 0 if the record
// has been changed by somebody else; 2 if it was written before, by the same command, whose response was lost.
//
// KEYS: record. ARGV: id, data, then the ids of which the record must have one ("": there is no record).
var saveScript = redis.NewScript(`
local id = redis.call('HGET', KEYS[1], 'id') or ''
local expected = false
for i = 3, #ARGV do expected = expected or id == ARGV[i] end
if not expected then
  if id == ARGV[1] then return 2 end
  return 0
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'data', ARGV[2])
return 1`)
