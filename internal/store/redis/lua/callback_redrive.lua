-- Queues a dead callback again, with all its attempts.
-- KEYS: what the keys of the callbacks of the part begin with
-- ARGV: ID, function, the longest age in ms, a name for this very request
-- Returns "done", "missing", or "not settled".
local id, call = ARGV[1], key('call', ARGV[1])
local c = read(id)
local state = redis.call('HMGET', other .. 'call:' .. id, 'fn', 'callback')
if state[1] ~= ARGV[2] then
  return 'missing'
elseif not c or state[2] ~= 'dead' then
  return c and state[2] and redis.call('HGET', call, 'redrive') == ARGV[4] and 'done' or 'not settled'
end
redis.call('ZREM', dead, id)
redis.call('ZREM', other .. 'expiry', id)
redis.call('ZADD', other .. 'telling', now, id)
redis.call('HSET', other .. 'call:' .. id, 'callback', 'queued')
redis.call('HDEL', call, 'reason', 'settled', 'expires')
redis.call('HSET', call, 'status', 'queued', 'due', now, 'used', 0, 'until', now + tonumber(ARGV[3]), 'redrive', ARGV[4])
enqueue(id, c.ns, now)
place(c.ns)
return 'done'
