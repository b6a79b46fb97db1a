-- Has the idempotency key of a call held whose caller waits, or finds whose it is.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, key, what tells the request from others, the lease in ms, for how long the answer is kept in ms,
-- bytes, then what room needs
-- Returns "new" with what the part has, see amounts, "held" with what tells that request from others, "answered" with the
-- same and the answer (empty: none is kept), "long" with the same, the ID of the call that has the answer and how long that
-- is, or what room does.
local id, ns, idempotency, size = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[7])
purge()
local before = redis.call('HGET', key('keys', ns), idempotency)
if before == id then
  return {'new'} -- this very request, sent again by a client that missed the answer
end
if before then
  local c = redis.call('HMGET', key('call', before), 'status', 'print')
  local till = redis.call('ZSCORE', expiry, before)
  if c[1] and till and tonumber(till) > now then
    local long = redis.call('HSTRLEN', key('call', before), 'result')
    if long > 65536 then -- queue.ShortAnswer
      return {'long', c[2], before, tostring(long)} -- which is read by itself
    end
    return {c[1], c[2], redis.call('HGET', key('call', before), 'result') or ''}
  end
  drop(before)
end
local refused, what = room(ns, size, 8)
if refused then
  return {refused, what}
end
redis.call('HSET', key('call', id), 'ns', ns, 'fn', '', 'status', 'held', 'key', idempotency, 'print', ARGV[4],
  'keyFor', ARGV[6], 'size', size)
redis.call('HSET', key('keys', ns), idempotency, id)
add(ns, size)
redis.call('ZADD', expiry, now + tonumber(ARGV[5]), id)
return {'new', amounts()}
