-- Ends a take.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function, number of the take, outcome, delay in ms, the attempt, reason, answer (empty: none)
-- Returns the status that the call has now, or "lost".
local id, take, outcome, delay = ARGV[1], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local c = read(id)
if not c or c.fn ~= ARGV[2] then
  return 'lost'
end
if c.status ~= 'running' or c.takes ~= take then
  -- Where this very settlement is sent again, by a client that missed the answer, it counts.
  return c.takes == take and c.closed == take and c.status ~= 'cancelled' and c.status or 'lost'
end
release(id, c.ns)
redis.call('HSET', key('call', id), 'closed', take)
if outcome == 'done' then
  tell(id, c.taken, ARGV[6])
  redis.call('HINCRBY', key('call', id), 'used', 1)
  settle(id, c.ns, 'succeeded', '', ARGV[8])
  place(c.ns)
  return 'succeeded'
elseif outcome == 'back' then
  return again(id, c.ns, c.till, delay, 'max_age', ARGV[8])
end
return failed(id, c, outcome == 'fail', delay, ARGV[6], ARGV[7], ARGV[8])
