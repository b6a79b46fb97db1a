-- Ends a take.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function, number of the take, outcome, delay in ms, the attempt, reason, answer (empty: none), how long an
-- answer is that is too long to be kept, payload of the next step, progress (empty: as it was), then what roomFor needs
-- Returns the status that the call has now with what the part has, see amounts, "lost", "incomplete" where no step is
-- left, or "all full" as roomFor does when nothing has changed for lack of room.

-- advance queues the next step of a pipeline.
local function advance(id, c, detail, payload, full)
  local call = key('call', id)
  local step = cjson.decode(redis.call('HGET', call, 'spec')).steps[c.step + 2]
  local had = redis.call('HSTRLEN', call, 'payload')
  tell(c, detail, full)
  grow(#payload - had)
  redis.call('HSETNX', call, 'first', had)
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
  return {'lost'}
end
if c.status ~= 'running' or c.takes ~= take then
  -- Where this very settlement is sent again, by a client that missed the answer, it counts.
  return {c.takes == take and c.closed == take and c.status ~= 'cancelled' and c.status or 'lost'}
end
if outcome == 'next' and c.step + 1 >= tonumber(c.steps or 0) then
  return {'incomplete'}
end
local answer = {result = ARGV[8], dropped = tonumber(ARGV[9])}
local more, grows = #ARGV[8] + #ARGV[6], false -- whether what the steps have left is longer, and more than is free
if outcome == 'next' then
  local had = redis.call('HSTRLEN', key('call', id), 'payload')
  local first = tonumber(redis.call('HGET', key('call', id), 'first') or had)
  more = more + #ARGV[10] - had
  grows = #ARGV[10] > had and #ARGV[10] - first > 4096 -- queue.FreeGrowth
elseif outcome == 'done' then
  more = more - redis.call('HSTRLEN', key('call', id), 'payload')
end
-- Only what will not make room at once must leave some.
local stays = outcome ~= 'done' or c.tells or c.key and c.keyUntil > now
local noRoom, what = roomFor(c.ns, more, stays, 12)
if noRoom and answer.result ~= '' then
  if noRoom == 'all full' and ARGV[16] ~= 'last' then
    return {noRoom, what}
  end
  answer = {result = '', dropped = #answer.result}
end
local refused = noRoom and grows
if refused and noRoom == 'all full' and ARGV[16] ~= 'last' then
  return {noRoom, what}
end
release(id, c.ns)
if ARGV[11] ~= '' then
  redis.call('HSET', key('call', id), 'progress', ARGV[11])
end
redis.call('HSET', key('call', id), 'closed', take)
local status
if outcome == 'done' then
  tell(c, ARGV[6], noRoom)
  c.used = c.used + 1
  settle(id, c, 'succeeded', '', answer)
  place(c.ns)
  status = 'succeeded'
elseif refused then -- there is no room for what the next step gets
  status = failed(id, c, true, 0, ARGV[6], 'calls_full', answer, noRoom)
elseif outcome == 'next' then
  status = advance(id, c, ARGV[6], ARGV[10], noRoom)
elseif outcome == 'back' then
  status = again(id, c, delay, 'max_age', answer)
else
  status = failed(id, c, outcome == 'fail', delay, ARGV[6], ARGV[7], answer, noRoom)
end
return {status, amounts()}
