-- Takes calls that are due, one after the other: each of the namespace that has the fewest running, and of those the
-- one that was served longest ago. Calls whose lease has run out go to their next attempt.
-- KEYS: what the keys of the part begin with
-- ARGV: server, the most calls, the lease in ms
-- Returns in how many ms there may be more (-1: nobody knows), then ID, record, payload … of each call that was taken.
local most, lease = tonumber(ARGV[2]), tonumber(ARGV[3])
purge()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, few)) do
  local c = read(id)
  if c and c.status == 'running' then
    release(id, c.ns)
    failed(id, c, false, 0, '{"reason":"lease_lost"}', 'lease_lost', '')
  else
    redis.call('ZREM', leases, id)
  end
end
for _, ns in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, few)) do
  place(ns)
end
local answer = {0}
local taken = 0
for _ = 1, most + few do
  local ns = taken < most and redis.call('ZRANGE', active, 0, 0)[1]
  if not ns then
    break
  end
  local id = redis.call('ZRANGEBYSCORE', key('due', ns), '-inf', now, 'LIMIT', 0, 1)[1]
  if id then
    redis.call('ZREM', key('due', ns), id)
    redis.call('ZREM', queued, id)
    local call, c = key('call', id), read(id)
    if c and c.till < now then
      settle(id, ns, 'dead', 'max_age', '')
    elseif c then
      redis.call('HSET', call, 'status', 'running', 'server', ARGV[1], 'taken', now, 'lease', now + lease)
      redis.call('HINCRBY', call, 'takes', 1)
      redis.call('ZADD', leases, now + lease, id)
      hold(ns, 1)
      redis.call('HSET', base .. 'turns', ns, redis.call('INCR', base .. 'turn'))
      taken = taken + 1
      answer[#answer + 1] = id
      answer[#answer + 1] = redis.call('HMGET', call, 'spec', 'status', 'takes', 'used', 'created', 'due', 'until', 'taken',
        'lease', 'server', 'settled', 'expires', 'reason', 'history', 'progress')
      answer[#answer + 1] = redis.call('HGET', call, 'payload') or ''
    end
  end
  place(ns)
end
local wait = -1
for _, set in ipairs({active, later, leases}) do
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
  if first then
    local ms = set == active and 1 or math.max(tonumber(first) - now, 1)
    if wait < 0 or ms < wait then
      wait = ms
    end
  end
end
answer[1] = wait
return answer
