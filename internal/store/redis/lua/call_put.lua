-- Adds a call, or finds the one with its idempotency key.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, function, record, payload, attempts, then in ms: the longest age, how long it is kept once it has
-- succeeded, and once it is dead; idempotency key (empty: none), what tells the request from others, how long the key
-- counts in ms, the most calls of a namespace, the most bytes, bytes beside the payload
-- Returns "new", "there" with the ID and what tells its request from others, or "full".
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
local function full()
  return number(base .. 'calls', ns) + 1 > tonumber(ARGV[13]) or number(base .. 'bytes', ns) + size > tonumber(ARGV[14])
end
for _ = 1, few do
  local oldest = full() and redis.call('ZRANGEBYSCORE', key('done', ns), '-inf', now, 'LIMIT', 0, 1)[1]
  if not oldest then
    break
  end
  redis.call('ZREM', key('done', ns), oldest)
  drop(oldest)
end
if full() then
  return {'full'}
end
redis.call('HSET', key('call', id), 'ns', ns, 'fn', fn, 'spec', ARGV[4], 'payload', payload, 'takes', 0, 'used', 0,
  'created', now, 'until', now + tonumber(ARGV[7]), 'attempts', ARGV[6], 'keep', ARGV[8], 'keepDead', ARGV[9],
  'size', size)
if idempotency ~= '' then
  redis.call('HSET', key('call', id), 'key', idempotency, 'print', ARGV[11], 'keyUntil', now + tonumber(ARGV[12]))
  redis.call('HSET', key('keys', ns), idempotency, id)
end
redis.call('HINCRBY', base .. 'calls', ns, 1)
redis.call('HINCRBY', base .. 'bytes', ns, size)
redis.call('ZADD', key('list', fn), 0, id)
enqueue(id, ns, now)
return {'new'}
