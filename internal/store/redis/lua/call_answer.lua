-- Renews, answers or frees an idempotency key that is held.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, what to do:
--   "renew", the lease in ms
--   "answer", the answer (empty: none is kept), the most bytes of the namespace (0: no bound), what other parts take, the
--             most bytes of all parts (0: no bound), "last" when nothing can be done for more room elsewhere
--   "free"
-- Returns "done", "not kept" for an answer without room, "all full" when nothing has changed for lack of room, or "lost".
local id, what = ARGV[1], ARGV[3]
local c = redis.call('HMGET', key('call', id), 'status', 'ns', 'keyFor')
if c[2] ~= ARGV[2] or c[1] ~= 'held' then
  if what == 'answer' and c[2] == ARGV[2] and c[1] == 'answered' then
    return redis.call('HEXISTS', key('call', id), 'result') == 1 and 'done' or 'not kept' -- sent again
  end
  return 'lost'
end
if what == 'free' then
  drop(id)
  return 'done'
end
if what == 'renew' then
  redis.call('ZREM', expiry, id)
  redis.call('ZADD', expiry, now + tonumber(ARGV[4]), id)
  return 'done'
end
local answer = ARGV[4]
local noRoom = answer ~= '' and roomFor(c[2], #answer, tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]))
if noRoom == 'all full' and ARGV[8] ~= 'last' then
  return noRoom
end
redis.call('ZREM', expiry, id)
redis.call('ZADD', expiry, now + tonumber(c[3]), id)
redis.call('HSET', key('call', id), 'status', 'answered')
if answer == '' or noRoom then
  return 'not kept'
end
redis.call('HSET', key('call', id), 'result', answer)
grow(#answer)
count(id, c[2])
return 'done'
