-- Ends a take.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, function, number of the take, outcome, delay in ms, the attempt, reason, answer (empty: none), how long an
-- answer is that is too long to be kept, the most bytes of a namespace (0: no bound), what other parts take, the most
-- bytes of all parts (0: no bound), and "last" when nothing can be done for more room elsewhere
-- Returns the status that the call has now, "lost", or "all full" when nothing has changed for lack of room.
local id, take, outcome, delay = ARGV[1], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local c = read(id)
if not c or c.fn ~= ARGV[2] then
  return 'lost'
end
if c.status ~= 'running' or c.takes ~= take then
  -- Where this very settlement is sent again, by a client that missed the answer, it counts.
  return c.takes == take and c.closed == take and c.status ~= 'cancelled' and c.status or 'lost'
end
local answer = {result = ARGV[8], dropped = tonumber(ARGV[9])}
local more, most, mostOfAll = #ARGV[8] + #ARGV[6], tonumber(ARGV[10]), tonumber(ARGV[12])
if outcome == 'done' then
  more = more - redis.call('HSTRLEN', key('call', id), 'payload')
end
local function full()
  return most > 0 and number(base .. 'bytes', c.ns) + more > most
end
local function allFull()
  return mostOfAll > 0 and ARGV[11] + bytes() + more > mostOfAll
end
if more <= most then -- what never fits takes no other's place
  evict(c.ns, full)
end
if allFull() and more <= mostOfAll then
  evict(c.ns, allFull)
  evictAny(allFull)
end
local noRoom = full() or allFull()
if noRoom and answer.result ~= '' then
  if ARGV[13] ~= 'last' and not full() then
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
elseif outcome == 'back' then
  return again(id, c, delay, 'max_age', answer)
end
return failed(id, c, outcome == 'fail', delay, ARGV[6], ARGV[7], answer, noRoom)
