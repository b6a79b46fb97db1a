-- Renews, answers or frees an idempotency key that is held.
-- KEYS: what the keys of the part begin with
-- ARGV: ID, namespace, what to do:
--   "renew", the lease in ms
--   "answer", the answer (empty: none is kept), then what roomFor needs
--   "free"
-- Returns "done" with what the part has, see amounts, "not kept" for an answer without room, "all full" as roomFor does
-- when nothing has changed for lack of room, or "lost".
local id, what = ARGV[1], ARGV[3]
local c = redis.call('HMGET', key('call', id), 'status', 'ns', 'keyFor')
if c[2] ~= ARGV[2] or c[1] ~= 'held' then
  if what == 'answer' and c[2] == ARGV[2] and c[1] == 'answered' then
    return {redis.call('HEXISTS', key('call', id), 'result') == 1 and 'done' or 'not kept'} -- sent again
  end
  return {'lost'}
end
if what == 'free' then
  drop(id)
  return {'done', amounts()}
end
if what == 'renew' then
  redis.call('ZREM', expiry, id)
  redis.call('ZADD', expiry, now + tonumber(ARGV[4]), id)
  return {'done', amounts()}
end
local answer = ARGV[4]
local noRoom, of
if answer ~= '' then
  noRoom, of = roomFor(c[2], #answer, true, 5)
  if noRoom == 'all full' and ARGV[9] ~= 'last' then
    return {noRoom, of}
  end
end
redis.call('ZREM', expiry, id)
redis.call('ZADD', expiry, now + tonumber(c[3]), id)
redis.call('HSET', key('call', id), 'status', 'answered')
if answer == '' or noRoom then
  return {'not kept'}
end
redis.call('HSET', key('call', id), 'result', answer)
grow(#answer)
count(id, c[2])
return {'done', amounts()}
