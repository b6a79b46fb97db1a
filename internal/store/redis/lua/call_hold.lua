-- Has the idempotency key of a call held whose caller waits, or finds whose it is.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, key, what tells the request from others, the lease in ms, for how long the answer is kept in ms,
-- bytes, then the limits of room
-- Returns "new" with the calls and the bytes of the part, "held" with what tells that request from others, "answered"
-- with the same and the answer (empty: none is kept), "full", or "all full".
local id, ns, idempotency, size = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[7])
purge()
local before = redis.call('HGET', key('keys', ns), idempotency)
if before == id then
  return {'new'} -- this very request, sent again by a client that missed the answer
end
if before then
  local c = redis.call('HMGET', key('call', before), 'status', 'print', 'result')
  local till = redis.call('ZSCORE', expiry, before)
  if c[1] and till and tonumber(till) > now then
    return {c[1], c[2], c[3] or ''}
  end
  drop(before)
end
local refused = room(ns, size, {ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13]})
if refused then
  return {refused}
end
redis.call('HSET', key('call', id), 'ns', ns, 'fn', '', 'status', 'held', 'key', idempotency, 'print', ARGV[4],
  'keyFor', ARGV[6], 'size', size)
redis.call('HSET', key('keys', ns), idempotency, id)
redis.call('HINCRBY', base .. 'calls', ns, 1)
redis.call('HINCRBY', base .. 'bytes', ns, size)
local taken = redis.call('INCRBY', base .. 'size', size)
redis.call('ZADD', expiry, now + tonumber(ARGV[5]), id)
return {'new', calls(), taken}
