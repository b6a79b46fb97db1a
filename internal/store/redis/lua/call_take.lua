-- Takes calls that are due, one after the other: each of the namespace that has the fewest running, and of those in one
-- part the one that was served longest ago. Calls whose lease has run out go to their next attempt.
-- KEYS: what the keys of the parts begin with: in a cluster one, else all
-- ARGV: server, the most calls, the lease in ms, in which part to begin, and "look" to look first at what has become due
-- Returns in how many ms there may be more (-1: nobody knows), then ID, record, payload … of each call that was taken.
local function lost(c)
  local step = c.steps and '"step":' .. c.step + 1 .. ',' or ''
  return '{' .. step .. '"reason":"lease_lost"}'
end

local most, lease, begin = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local answer, taken = {0}, 0
local first = {} -- of each part its first namespace and how many calls of that run; false: nothing is due

local function part(i)
  return KEYS[(begin + i - 2) % #KEYS + 1]
end

local function see(i)
  enter(part(i))
  local top = redis.call('ZRANGE', active, 0, 0, 'WITHSCORES')
  first[i] = top[1] and {ns = top[1], held = math.floor(top[2] / served)} or false
end

-- look ends what has run out, and makes active what has become due.
local function look()
  for i = 1, #KEYS do
    enter(part(i))
    purge()
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, few)) do
      local c = read(id)
      if c and c.status == 'running' then
        release(id, c.ns)
        failed(id, c, false, 0, lost(c), 'lease_lost')
      else
        redis.call('ZREM', leases, id)
      end
    end
    for _, ns in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, few)) do
      place(ns)
    end
    see(i)
  end
end

-- take takes the first call of a namespace of the part that was entered.
local function take(ns)
  local id = redis.call('ZRANGEBYSCORE', key('due', ns), '-inf', now, 'LIMIT', 0, 1)[1]
  if not id then
    return
  end
  redis.call('ZREM', key('due', ns), id)
  redis.call('ZREM', queued, id)
  local call = key('call', id)
  local c = redis.call('HMGET', call, 'spec', 'status', 'takes', 'used', 'created', 'due', 'until', 'taken', 'lease',
    'server', 'settled', 'expires', 'reason', 'history', 'progress', 'dropped', 'step', 'callback', 'payload')
  if not c[1] then
    return
  end
  if tonumber(c[7]) < now then
    settle(id, read(id), 'dead', 'max_age')
    return
  end
  c[2], c[3], c[8], c[9], c[10] = 'running', tostring(c[3] + 1), tostring(now), tostring(now + lease), ARGV[1]
  redis.call('HSET', call, 'status', c[2], 'takes', c[3], 'taken', c[8], 'lease', c[9], 'server', c[10])
  redis.call('ZADD', leases, now + lease, id)
  hold(ns, 1)
  redis.call('HSET', base .. 'turns', ns, redis.call('INCR', base .. 'turn'))
  taken = taken + 1
  answer[#answer + 1] = id
  answer[#answer + 1] = c
end

-- fewest is the part whose first namespace has the fewest running calls; nil for none.
local function fewest()
  local best
  for i = 1, #KEYS do
    if first[i] and (not best or first[i].held < first[best].held) then
      best = i
    end
  end
  return best
end

local function takeAll()
  for _ = 1, most + few do
    local i = taken < most and fewest()
    if not i then
      return
    end
    enter(part(i))
    take(first[i].ns)
    place(first[i].ns)
    see(i)
  end
end

if ARGV[5] == 'look' then
  look()
else
  for i = 1, #KEYS do
    see(i)
  end
end
takeAll()
if taken == 0 and ARGV[5] ~= 'look' then
  look()
  takeAll()
end
if taken == most or fewest() then
  answer[1] = 1
  return answer
end
local wait = -1
for i = 1, #KEYS do
  enter(part(i))
  for _, set in ipairs({later, leases}) do
    local due = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
    if due then
      local ms = math.max(tonumber(due) - now, 1)
      if wait < 0 or ms < wait then
        wait = ms
      end
    end
  end
end
answer[1] = wait
return answer
