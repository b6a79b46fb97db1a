-- Queues a dead or cancelled call again, with all its attempts.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function, the longest age in ms, a name for this very request
-- Returns "done", "missing", or "not settled".
local id, call = ARGV[1], key('call', ARGV[1])
local c = read(id)
if not c or c.fn ~= ARGV[2] then
  return 'missing'
end
if c.status ~= 'dead' and c.status ~= 'cancelled' then
  if redis.call('HGET', call, 'redrive') == ARGV[4] then
    return 'done' -- sent again by a client that missed the answer
  end
  return 'not settled'
end
redis.call('ZREM', dead, id)
redis.call('ZREM', expiry, id)
retract(id, c.ns)
rank(c.ns)
redis.call('ZREM', base .. 'telling', id)
grow(-redis.call('HSTRLEN', call, 'result'))
redis.call('HDEL', call, 'result', 'dropped', 'reason', 'progress', 'settled', 'expires', 'callback')
redis.call('HSET', call, 'status', 'queued', 'due', now, 'used', 0, 'until', now + tonumber(ARGV[3]), 'redrive', ARGV[4])
count(id, c.ns)
enqueue(id, c.ns, now)
place(c.ns)
enter(other) -- a callback of the end before is withdrawn; the number of its takes stays
local telling = read(id)
if telling then
  if telling.status == 'queued' then
    redis.call('ZREM', key('due', c.ns), id)
    redis.call('ZREM', queued, id)
  elseif telling.status == 'running' then
    release(id, c.ns)
  end
  redis.call('ZREM', dead, id)
  redis.call('HSET', key('call', id), 'status', 'cancelled')
  place(c.ns)
end
return 'done'
