-- Adds records of calls whose callers have waited, and drops the oldest ones beyond the limits. All keys are in one slot
-- of a cluster; KEYS[1] is what they begin with:
--   call:<id>       hash: a record, its namespace, its function, its request ID and what it counts as
--   times           sorted set: all records by when they were added
--   order:<ns>      sorted set: those of a namespace, likewise
--   list:<fn>       sorted set: those of a function, in the order of their IDs
--   functions:<ns>  sorted set: functions of a namespace by how many they have
--   requests:<fn>   hash: request IDs, each with the ID of its newest record
--   sizes           sorted set: namespaces by the bytes of their records
--   bytes           the sum of these
-- ARGV: how long a record is kept in ms, the most of a namespace, the most bytes of all, then ID, namespace, function,
-- request ID, text and what it counts as of each
local base = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local age, most, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local many = 2000 -- how many records a script drops at most
local times, sizes, bytes = base .. 'times', base .. 'sizes', base .. 'bytes'

local function key(kind, name)
  return base .. kind .. ':' .. name
end

local function grow(ns, by)
  redis.call('INCRBY', bytes, by)
  if tonumber(redis.call('ZINCRBY', sizes, by, ns)) <= 0 then
    redis.call('ZREM', sizes, ns)
  end
end

local function count(ns, fn)
  local n = redis.call('ZCARD', key('list', fn))
  if n > 0 then
    redis.call('ZADD', key('functions', ns), n, fn)
  else
    redis.call('ZREM', key('functions', ns), fn)
  end
end

local function drop(id)
  redis.call('ZREM', times, id)
  local c = redis.call('HMGET', key('call', id), 'ns', 'fn', 'request', 'size')
  if not c[1] then
    return
  end
  redis.call('ZREM', key('order', c[1]), id)
  redis.call('ZREM', key('list', c[2]), id)
  if redis.call('HGET', key('requests', c[2]), c[3]) == id then
    redis.call('HDEL', key('requests', c[2]), c[3])
  end
  redis.call('DEL', key('call', id))
  count(c[1], c[2])
  grow(c[1], -tonumber(c[4]))
end

-- first is the record of a namespace that makes room: the oldest one of the function that has the most; of functions
-- with as many, of a hundred of them. So who has one function fail often pushes out no records of the others.
local function first(ns)
  local largest = redis.call('ZREVRANGE', key('functions', ns), 0, 0, 'WITHSCORES')
  local oldest
  if largest[2] and tonumber(largest[2]) > 1 then
    local as = redis.call('ZREVRANGEBYSCORE', key('functions', ns), largest[2], largest[2], 'LIMIT', 0, 100)
    for _, fn in ipairs(as) do
      local id = redis.call('ZRANGE', key('list', fn), 0, 0)[1]
      if id and (not oldest or id < oldest) then
        oldest = id
      end
    end
  end
  return oldest or redis.call('ZRANGE', key('order', ns), 0, 0)[1]
end

-- shrink drops records of a namespace that has too many.
local function shrink(ns)
  for _ = 1, math.min(redis.call('ZCARD', key('order', ns)) - most, many) do
    drop(first(ns))
  end
end

for i = 4, #ARGV, 6 do
  local id, ns, fn, request, size = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 5]
  if redis.call('EXISTS', key('call', id)) == 0 then -- else this very request is sent again
    redis.call('HSET', key('call', id), 'ns', ns, 'fn', fn, 'request', request, 'text', ARGV[i + 4], 'size', size)
    redis.call('ZADD', times, now, id)
    redis.call('ZADD', key('order', ns), now, id)
    redis.call('ZADD', key('list', fn), 0, id)
    count(ns, fn)
    if request ~= '' then
      local before = redis.call('HGET', key('requests', fn), request)
      if not before or before < id then
        redis.call('HSET', key('requests', fn), request, id)
      end
    end
    grow(ns, tonumber(size))
    shrink(ns)
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', times, '-inf', now - age, 'LIMIT', 0, many)) do
  drop(id)
end
if #ARGV == 3 then
  for _, ns in ipairs(redis.call('ZREVRANGE', sizes, 0, many - 1)) do
    shrink(ns)
  end
end
for _ = 1, many do
  local largest = tonumber(redis.call('GET', bytes) or 0) > limit and redis.call('ZREVRANGE', sizes, 0, 0)[1]
  local oldest = largest and first(largest)
  if not oldest then
    break
  end
  drop(oldest)
end
