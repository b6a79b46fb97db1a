-- Adds a call, or finds the one with its idempotency key.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, function, record, payload, attempts, then in ms: the longest age, how long it is kept once it has
-- succeeded, and once it is dead; idempotency key (empty: none), what tells the request from others, how long the key
-- counts in ms, the most calls of a namespace, the most bytes, bytes beside the payload; how many calls other parts have,
-- what they take, and the most calls and bytes of all parts (0: no bound); the number of steps of a pipeline (0: none);
-- how often its end is told at most, 0 for a call without a callback, and for how long in ms
-- Returns "new" with the calls and the bytes of the part, "there" with the ID and what tells its request from others,
-- "full", or "all full".
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
local size = tonumber(ARGV[15]) + #payload
local refused = room(ns, size, {ARGV[13], ARGV[14], ARGV[16], ARGV[17], ARGV[18], ARGV[19]})
if refused then
  return {refused}
end
redis.call('HSET', key('call', id), 'ns', ns, 'fn', fn, 'spec', ARGV[4], 'payload', payload, 'takes', 0, 'used', 0,
  'created', now, 'until', now + tonumber(ARGV[7]), 'attempts', ARGV[6], 'keep', ARGV[8], 'keepDead', ARGV[9],
  'size', size, 'status', 'queued', 'due', now)
if ARGV[20] ~= '0' then
  redis.call('HSET', key('call', id), 'steps', ARGV[20])
end
if tonumber(ARGV[21]) > 0 then
  redis.call('HSET', key('call', id), 'tellAttempts', ARGV[21], 'tellFor', ARGV[22])
end
if idempotency ~= '' then
  redis.call('HSET', key('call', id), 'key', idempotency, 'print', ARGV[11], 'keyUntil', now + tonumber(ARGV[12]))
  redis.call('HSET', key('keys', ns), idempotency, id)
end
redis.call('HINCRBY', base .. 'calls', ns, 1)
redis.call('HINCRBY', base .. 'bytes', ns, size)
local taken = redis.call('INCRBY', base .. 'size', size)
redis.call('ZADD', key('list', fn), 0, id)
enqueue(id, ns, now)
if not redis.call('ZSCORE', active, ns) then -- else it has a place already, which a call more does not change
  place(ns)
end
return {'new', calls(), taken}
