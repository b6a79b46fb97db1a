-- Adds a call, or finds the one with its idempotency key.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, function, record, payload, attempts, then in ms: the longest age, how long it is kept once it has
-- succeeded, and once it is dead; idempotency key (empty: none), what tells the request from others, how long the key
-- counts in ms, bytes beside the payload, the number of steps of a pipeline (0: none), how often its end is told at
-- most, 0 for a call without a callback, and for how long in ms; then what room needs
-- Returns "new" with what the part has, see amounts, "there" with the ID and what tells its request from others, or what
-- room does.
local id, ns, fn, payload, idempotency = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[10]
purge()
if redis.call('EXISTS', key('call', id)) == 1 then
  return {'new'} -- this very put, sent again by a client that missed the answer
end
if idempotency ~= '' then
  local before = redis.call('HGET', key('keys', ns), idempotency)
  if before then
    local c = redis.call('HMGET', key('call', before), 'keyUntil', 'print')
    if c[1] and tonumber(c[1]) > now then
      return {'there', before, c[2]}
    end
  end
end
local size = tonumber(ARGV[13]) + #payload
local refused, what = room(ns, size, 17)
if refused then
  return {refused, what}
end
redis.call('HSET', key('call', id), 'ns', ns, 'fn', fn, 'spec', ARGV[4], 'payload', payload, 'takes', 0, 'used', 0,
  'created', now, 'until', now + tonumber(ARGV[7]), 'attempts', ARGV[6], 'keep', ARGV[8], 'keepDead', ARGV[9],
  'size', size, 'status', 'queued', 'due', now)
if ARGV[14] ~= '0' then
  redis.call('HSET', key('call', id), 'steps', ARGV[14])
end
if tonumber(ARGV[15]) > 0 then
  redis.call('HSET', key('call', id), 'tellAttempts', ARGV[15], 'tellFor', ARGV[16])
end
if idempotency ~= '' then
  redis.call('HSET', key('call', id), 'key', idempotency, 'print', ARGV[11], 'keyUntil', now + tonumber(ARGV[12]))
  redis.call('HSET', key('keys', ns), idempotency, id)
end
add(ns, size)
redis.call('ZADD', key('list', fn), 0, id)
enqueue(id, ns, now)
if not redis.call('ZSCORE', active, ns) then -- else it has a place already, which a call more does not change
  place(ns)
end
return {'new', amounts()}
