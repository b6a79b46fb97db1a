-- Cancels a call.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function
-- Returns "done", "missing", or "settled" when it is too late.
local id = ARGV[1]
local c = read(id)
if not c or c.fn ~= ARGV[2] then
  return 'missing'
elseif c.status == 'cancelled' then
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
