-- Cancels a call, or gives a dead one up: it is kept as other cancelled ones are then, and makes room.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function
-- Returns "done", "missing", or "settled" when it is too late.
local id = ARGV[1]
local c = read(id)
if not c or c.fn ~= ARGV[2] then
  return 'missing'
elseif c.status == 'cancelled' then
  return 'done'
elseif c.status == 'dead' then
  redis.call('ZREM', dead, id)
  redis.call('HSET', key('call', id), 'status', 'cancelled')
  redis.call('HDEL', key('call', id), 'reason')
  local callback = redis.call('HGET', key('call', id), 'callback')
  if callback == 'queued' then -- which still tells; then it leaves
    return 'done'
  elseif callback == 'dead' then -- is given up, too
    redis.call('HDEL', key('call', id), 'callback')
    enter(other)
    redis.call('ZREM', dead, id)
    redis.call('HSET', key('call', id), 'status', 'cancelled')
    enter(other)
  end
  redis.call('ZREM', expiry, id)
  leave(id, c, false)
  return 'done'
elseif c.status == 'queued' then
  redis.call('ZREM', key('due', c.ns), id)
  redis.call('ZREM', queued, id)
elseif c.status == 'running' then
  release(id, c.ns)
else
  return 'settled'
end
settle(id, c, 'cancelled', '')
place(c.ns)
return 'done'
