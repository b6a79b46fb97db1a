-- Begins each script about queued calls. Each namespace belongs to one of 16 parts, whose keys are in one slot of a
-- cluster; KEYS[1] is what they begin with. In a part there are
--   call:<id>     hash: the record of a call
--   due:<ns>      sorted set: the queued calls of a namespace by when they are due
--   active        sorted set: the namespaces that have a call which is due, the one that is served next first
--   later         sorted set: the namespaces whose first call is due later, by when that is
--   held, turns   hashes: how many running calls a namespace has, and the number of its last take
--   turn          counts takes
--   queued        sorted set: all queued calls by when they are due
--   leases        sorted set: the running calls by when their lease ends
--   dead          sorted set: the dead calls by when they died
--   expiry        sorted set: the settled calls by when their record goes
--   done:<ns>     sorted set: the calls of a namespace that may make room, by from when on
--   list:<fn>     sorted set: the calls of a function, in the order of their IDs
--   keys:<ns>     hash: idempotency keys, each with the ID of its call
--   calls, bytes  hashes: how many calls a namespace has, and what they take
-- Times are milliseconds by the clock of Redis.
-- A Redis without memory refuses a script at its first write, if that is a command that may need more; never later. So
-- a put begins with such a command, and everything else with ZREM: what is queued can be taken, settled and cancelled.
local base = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local few = 100 -- how many expired records and lost leases a script ends at most
local served = 1099511627776 -- 2^40: more than takes there will be, few enough for 2^13 running calls

local active, later = base .. 'active', base .. 'later'
local queued, leases, dead, expiry = base .. 'queued', base .. 'leases', base .. 'dead', base .. 'expiry'

local function key(kind, name)
  return base .. kind .. ':' .. name
end

local function number(hash, field)
  return tonumber(redis.call('HGET', hash, field) or 0)
end

-- place puts a namespace where its first queued call belongs. A new one comes after those that were served last.
local function place(ns)
  local first = redis.call('ZRANGE', key('due', ns), 0, 0, 'WITHSCORES')
  local held = number(base .. 'held', ns)
  redis.call('ZREM', active, ns)
  redis.call('ZREM', later, ns)
  if not first[1] then
    if held <= 0 then
      redis.call('HDEL', base .. 'held', ns)
      redis.call('HDEL', base .. 'turns', ns)
    end
    return
  end
  redis.call('HSETNX', base .. 'turns', ns, redis.call('GET', base .. 'turn') or 0)
  if tonumber(first[2]) <= now then
    redis.call('ZADD', active, held * served + number(base .. 'turns', ns), ns)
  else
    redis.call('ZADD', later, first[2], ns)
  end
end

local function hold(ns, by)
  redis.call('HINCRBY', base .. 'held', ns, by)
end

-- grow changes what a call and its namespace take.
local function grow(id, ns, by)
  if by ~= 0 then
    redis.call('HINCRBY', key('call', id), 'size', by)
    redis.call('HINCRBY', base .. 'bytes', ns, by)
  end
end

-- drop removes the record of a settled call.
local function drop(id)
  redis.call('ZREM', expiry, id)
  redis.call('ZREM', dead, id)
  local c = redis.call('HMGET', key('call', id), 'ns', 'fn', 'size', 'key')
  if not c[1] then
    return
  end
  local ns = c[1]
  redis.call('ZREM', key('done', ns), id)
  redis.call('ZREM', key('list', c[2]), id)
  if c[4] and redis.call('HGET', key('keys', ns), c[4]) == id then
    redis.call('HDEL', key('keys', ns), c[4])
  end
  redis.call('DEL', key('call', id))
  redis.call('HINCRBY', base .. 'bytes', ns, -tonumber(c[3]))
  if redis.call('HINCRBY', base .. 'calls', ns, -1) <= 0 then
    redis.call('HDEL', base .. 'calls', ns)
    redis.call('HDEL', base .. 'bytes', ns)
  end
end

local function purge()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, few)) do
    drop(id)
  end
end

-- settle ends a call that is neither queued nor running any more. Its payload stays as long as it may be redriven.
local function settle(id, ns, status, reason, result)
  local call = key('call', id)
  local c = redis.call('HMGET', call, 'keep', 'keepDead', 'key', 'keyUntil')
  local lives = tonumber(status == 'dead' and c[2] or c[1])
  redis.call('HSET', call, 'status', status, 'reason', reason, 'settled', now, 'expires', now + lives)
  if result ~= '' then
    redis.call('HSET', call, 'result', result)
    grow(id, ns, #result)
  end
  if status == 'succeeded' then
    grow(id, ns, -redis.call('HSTRLEN', call, 'payload'))
    redis.call('HDEL', call, 'payload')
  end
  redis.call('ZADD', expiry, now + lives, id)
  if status == 'dead' then
    redis.call('ZADD', dead, now, id)
  else
    local from = now
    if c[3] and tonumber(c[4]) > now then
      from = c[4]
    end
    redis.call('ZADD', key('done', ns), from, id)
  end
end

-- release ends the lease of a running call.
local function release(id, ns)
  redis.call('ZREM', leases, id)
  hold(ns, -1)
end

-- enqueue makes a call wait until it is due.
local function enqueue(id, ns, due)
  redis.call('HSET', key('call', id), 'status', 'queued', 'due', due)
  redis.call('ZADD', key('due', ns), due, id)
  redis.call('ZADD', queued, due, id)
  place(ns)
end

-- tell adds an attempt to the history of a call: its begin, its end and what is known of it, in a line.
local function tell(id, taken, detail)
  local call = key('call', id)
  local history = (redis.call('HGET', call, 'history') or '') .. taken .. ' ' .. now .. ' ' .. detail .. '\n'
  while #history > 65536 do
    local line = string.find(history, '\n', 1, true)
    if not line or line == #history then
      break
    end
    history = string.sub(history, line + 1)
  end
  redis.call('HSET', call, 'history', history)
end

-- again queues a call that was taken, unless it would be too old.
local function again(id, ns, till, delay, reason, result)
  if now + delay > till then
    settle(id, ns, 'dead', reason, result)
    place(ns)
    return 'dead'
  end
  redis.call('HDEL', key('call', id), 'progress')
  enqueue(id, ns, now + delay)
  return 'queued'
end

-- failed ends an attempt that failed; final says that no other would do better.
local function failed(id, c, final, delay, detail, reason, result)
  tell(id, c.taken, detail)
  local used = redis.call('HINCRBY', key('call', id), 'used', 1)
  if final or used >= c.attempts then
    settle(id, c.ns, 'dead', reason, result)
    place(c.ns)
    return 'dead'
  end
  return again(id, c.ns, c.till, delay, reason, result)
end

-- read is what scripts need of a call; nil when there is none.
local function read(id)
  local c = redis.call('HMGET', key('call', id), 'status', 'takes', 'ns', 'taken', 'attempts', 'until', 'fn', 'closed')
  if not c[1] then
    return nil
  end
  return {
    status = c[1], takes = tonumber(c[2]), ns = c[3], taken = c[4] or 0, attempts = tonumber(c[5]),
    till = tonumber(c[6]), fn = c[7], closed = tonumber(c[8] or 0),
  }
end
