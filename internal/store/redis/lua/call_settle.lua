-- Ends a take.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function, number of the take, outcome, delay in ms, the attempt, reason, answer (empty: none), how long an
-- answer is that is too long to be kept, the most bytes of a namespace (0: no bound), what other parts take, the most
-- bytes of all parts (0: no bound), "last" when nothing can be done for more room elsewhere, payload of the next step
-- Returns the status that the call has now, "lost", "incomplete" where no step is left, or "all full" when nothing has
-- changed for lack of room.

-- advance queues the next step of a pipeline.
local function advance(id, c, detail, payload, full)
  local call = key('call', id)
  local step = cjson.decode(redis.call('HGET', call, 'spec')).steps[c.step + 2]
  tell(c, detail, full)
  grow(#payload - redis.call('HSTRLEN', call, 'payload'))
  redis.call('HSET', call, 'status', 'queued', 'due', now, 'payload', payload, 'step', c.step + 1, 'used', 0,
    'attempts', step.attempts, 'until', now + step.maxAge, 'history', c.history)
  redis.call('HDEL', call, 'progress')
  count(id, c.ns)
  enqueue(id, c.ns, now)
  place(c.ns)
  return 'queued'
end

local id, take, outcome, delay = ARGV[1], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local c = read(id)
if not c or c.fn ~= ARGV[2] then
  return 'lost'
end
if c.status ~= 'running' or c.takes ~= take then
  -- Where this very settlement is sent again, by a client that missed the answer, it counts.
  return c.takes == take and c.closed == take and c.status ~= 'cancelled' and c.status or 'lost'
end
if outcome == 'next' and c.step + 1 >= tonumber(c.steps or 0) then
  return 'incomplete'
end
local answer = {result = ARGV[8], dropped = tonumber(ARGV[9])}
local more = #ARGV[8] + #ARGV[6]
if outcome == 'next' then
  more = more + #ARGV[14]
end
if outcome == 'done' or outcome == 'next' then
  more = more - redis.call('HSTRLEN', key('call', id), 'payload')
end
local noRoom = roomFor(c.ns, more, tonumber(ARGV[10]), ARGV[11], tonumber(ARGV[12]))
if noRoom and answer.result ~= '' then
  if ARGV[13] ~= 'last' and noRoom == 'all full' then
    return 'all full'
  end
  answer = {result = '', dropped = #answer.result}
end
release(id, c.ns)
redis.call('HSET', key('call', id), 'closed', take)
if outcome == 'done' then
  tell(c, ARGV[6], noRoom)
  c.used = c.used + 1
  settle(id, c, 'succeeded', '', answer)
  place(c.ns)
  return 'succeeded'
elseif outcome == 'next' then
  return advance(id, c, ARGV[6], ARGV[14], noRoom)
elseif outcome == 'back' then
  return again(id, c, delay, 'max_age', answer)
end
return failed(id, c, outcome == 'fail', delay, ARGV[6], ARGV[7], answer, noRoom)
