-- Begins each script about kept lines. What the lines of a namespace take is counted in these keys, all in one slot:
--   order    sorted set: each function by the time when its lines expire, those that printed nothing for longest first
--   sizes    hash: bytes of each function
--   usage    sorted set: bytes of each namespace
--   expires  sorted set: each namespace by the time when its last function expires
--   total    bytes of all namespaces
-- A count that is lost, as where Redis evicts keys, is made anew by the next lines of its function.
local order, sizes, usage, expires, total = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ns = ARGV[1]

local function count(key, member)
  return tonumber(redis.call('ZSCORE', key, member) or 0)
end

-- all is what all namespaces take.
local function all()
  local bytes = redis.call('GET', total)
  if not bytes then
    bytes = 0
    local list = redis.call('ZRANGE', usage, 0, -1, 'WITHSCORES')
    for i = 2, #list, 2 do
      bytes = bytes + tonumber(list[i])
    end
    redis.call('SET', total, bytes)
  end
  return tonumber(bytes)
end

-- charge adds to what a namespace takes.
local function charge(name, bytes)
  if bytes == 0 then -- which may be -0, no number to Redis
    return
  end
  all()
  redis.call('INCRBY', total, bytes)
  redis.call('ZINCRBY', usage, bytes, name)
end

-- measure is what a stream takes, with its place in the counts and the room that Redis makes for lines to come.
local function measure(stream, id)
  local bytes = redis.pcall('MEMORY', 'USAGE', stream, 'SAMPLES', 0)
  if type(bytes) ~= 'number' then -- a server without this command
    bytes = 4096 * redis.call('XLEN', stream)
  end
  return bytes + 7168 + 3 * #id + 6 * #ns
end

-- resize sets what a function takes.
local function resize(id, bytes)
  charge(ns, bytes - tonumber(redis.call('HGET', sizes, id) or 0))
  redis.call('HSET', sizes, id, bytes)
end

-- forget takes a function out of the counts.
local function forget(id)
  charge(ns, -tonumber(redis.call('HGET', sizes, id) or 0))
  redis.call('HDEL', sizes, id)
  redis.call('ZREM', order, id)
end

-- largest is the namespace that takes the most, "" when there is none.
local function largest()
  return redis.call('ZREVRANGE', usage, 0, 0)[1] or ''
end

-- forgetNamespace takes a namespace out of the counts.
local function forgetNamespace(name)
  charge(name, -count(usage, name))
  redis.call('ZREM', usage, name)
  redis.call('ZREM', expires, name)
end
