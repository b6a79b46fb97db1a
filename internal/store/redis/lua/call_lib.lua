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
--   size          what all calls of the part take
--   call:<id>     also a hash for an idempotency key whose caller waits: "held", and "answered" once it has its answer; it
--                 is in keys:<ns>, and in expiry by when its lease or its time is over, and nowhere else
--   telling       sorted set: the settled calls whose callback is not over; they do not expire and make no room
-- Callbacks are in a queue like it, whose keys begin with callbacks: after that. A callback has the ID of its call, and
-- its record goes with that of its call: there are no expiry, done, list, keys, calls, bytes and size.
-- Times are milliseconds by the clock of Redis.
-- A Redis without memory refuses a script at its first write, if that is a command that may need more; never later. So
-- a put begins with such a command, and everything else with ZREM: what is queued can be taken, settled and cancelled.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local few = 100 -- how many expired records and lost leases a script ends at most, and how many make room
local served = 1099511627776 -- 2^40: more than takes there will be, few enough for 2^13 running calls

-- enter chooses the part that all functions below are about.
local base, active, later, queued, leases, dead, expiry
local suffix = 'callbacks:'
local tells, other -- whether it is of callbacks, and the part of their calls then, else that of the callbacks
local function enter(part)
  base = part
  tells = string.sub(part, -#suffix) == suffix
  other = tells and string.sub(part, 1, -#suffix - 1) or part .. suffix
  active, later, queued, leases = base .. 'active', base .. 'later', base .. 'queued', base .. 'leases'
  dead, expiry = base .. 'dead', base .. 'expiry'
end
enter(KEYS[1])

local function key(kind, name)
  return base .. kind .. ':' .. name
end

local function number(hash, field)
  return tonumber(redis.call('HGET', hash, field) or 0)
end

-- place puts a namespace where its first queued call belongs. A new one comes after those that were served last.
local function place(ns)
  local first = redis.call('ZRANGE', key('due', ns), 0, 0, 'WITHSCORES')
  if not first[1] then
    redis.call('ZREM', active, ns)
    redis.call('ZREM', later, ns)
    if number(base .. 'held', ns) <= 0 then
      redis.call('HDEL', base .. 'held', ns)
      redis.call('HDEL', base .. 'turns', ns)
    end
    return
  end
  if tonumber(first[2]) > now then
    redis.call('ZREM', active, ns)
    redis.call('ZADD', later, first[2], ns)
    return
  end
  redis.call('ZREM', later, ns)
  local turn = redis.call('HGET', base .. 'turns', ns)
  if not turn then
    turn = redis.call('GET', base .. 'turn') or 0
    redis.call('HSET', base .. 'turns', ns, turn)
  end
  redis.call('ZADD', active, number(base .. 'held', ns) * served + turn, ns)
end

local function hold(ns, by)
  redis.call('HINCRBY', base .. 'held', ns, by)
end

-- grow changes what a call counts as: count writes that, also for its namespace and its part.
local grown = 0
local function grow(by)
  grown = grown + by
end

local function count(id, ns)
  if grown ~= 0 then
    local of = tells and other or base
    redis.call('HINCRBY', of .. 'call:' .. id, 'size', grown)
    redis.call('HINCRBY', of .. 'bytes', ns, grown)
    redis.call('INCRBY', of .. 'size', grown)
    grown = 0
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
  redis.call('DEL', key('call', id), other .. 'call:' .. id)
  redis.call('ZREM', other .. 'dead', id)
  redis.call('HINCRBY', base .. 'bytes', ns, -tonumber(c[3]))
  if redis.call('DECRBY', base .. 'size', c[3]) <= 0 then
    redis.call('DEL', base .. 'size')
  end
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

-- bytes is what all calls of the part take, calls how many there are.
local function bytes()
  return tonumber(redis.call('GET', base .. 'size') or 0)
end

local function calls()
  return redis.call('ZCARD', queued) + redis.call('ZCARD', leases) + redis.call('ZCARD', expiry)
    + redis.call('ZCARD', base .. 'telling')
end

-- evict drops calls of a namespace that may make room, the oldest first, as long as over says that it is needed.
local function evict(ns, over)
  for _ = 1, few do
    local oldest = over() and redis.call('ZRANGEBYSCORE', key('done', ns), '-inf', now, 'LIMIT', 0, 1)[1]
    if not oldest then
      return
    end
    redis.call('ZREM', key('done', ns), oldest)
    drop(oldest)
  end
end

-- evictAny is evict for those of any namespace of the part, that which expires next first. It returns how many it drops.
local function evictAny(over)
  local dropped = 0
  for _, id in ipairs(redis.call('ZRANGE', expiry, 0, few - 1)) do
    if not over() then
      break
    end
    local ns = redis.call('HGET', key('call', id), 'ns')
    local from = ns and redis.call('ZSCORE', key('done', ns), id)
    if from and tonumber(from) <= now then
      drop(id)
      dropped = dropped + 1
    end
  end
  return dropped
end

-- room makes room for one more call of a namespace that takes so many bytes, and returns "full" or "all full" when it
-- cannot. Limits are the most calls of the namespace and the most bytes, how many calls other parts have and what they
-- take, and the most calls and bytes of all parts (0: no bound).
local function room(ns, size, limits)
  local most, mostBytes = tonumber(limits[1]), tonumber(limits[2])
  local mostOfAll, mostBytesOfAll = tonumber(limits[5]), tonumber(limits[6])
  local function full()
    return number(base .. 'calls', ns) + 1 > most or number(base .. 'bytes', ns) + size > mostBytes
  end
  local function allFull()
    return mostOfAll > 0 and limits[3] + calls() + 1 > mostOfAll
      or mostBytesOfAll > 0 and limits[4] + bytes() + size > mostBytesOfAll
  end
  if size <= mostBytes then -- what never fits takes no other's place
    evict(ns, full)
  end
  if full() then
    return 'full'
  end
  if allFull() then
    if mostBytesOfAll == 0 or size <= mostBytesOfAll then
      evict(ns, allFull)
      evictAny(allFull)
    end
    if allFull() then
      return 'all full'
    end
  end
  return nil
end

-- roomFor is room for more bytes of a call that is there.
local function roomFor(ns, more, mostBytes, othersTake, mostBytesOfAll)
  local function full()
    return mostBytes > 0 and number(base .. 'bytes', ns) + more > mostBytes
  end
  local function allFull()
    return mostBytesOfAll > 0 and othersTake + bytes() + more > mostBytesOfAll
  end
  if more <= mostBytes then -- see room
    evict(ns, full)
  end
  if allFull() and more <= mostBytesOfAll then
    evict(ns, allFull)
    evictAny(allFull)
  end
  return full() and 'full' or allFull() and 'all full' or nil
end

-- read is what scripts need of a call; nil when there is none.
local function read(id)
  local c = redis.call('HMGET', key('call', id), 'status', 'takes', 'ns', 'taken', 'attempts', 'until', 'fn', 'closed',
    'used', 'keep', 'keepDead', 'key', 'keyUntil', 'history', 'step', 'steps')
  if not c[1] then
    return nil
  end
  return {
    status = c[1], takes = tonumber(c[2]), ns = c[3], taken = c[4] or 0, attempts = tonumber(c[5]),
    till = tonumber(c[6]), fn = c[7], closed = tonumber(c[8] or 0), used = tonumber(c[9] or 0), keep = tonumber(c[10]),
    keepDead = tonumber(c[11]), key = c[12], keyUntil = tonumber(c[13] or 0), history = c[14] or '',
    step = tonumber(c[15] or 0), steps = c[16],
  }
end

-- enqueue makes a call wait until it is due. Its namespace is to be placed.
local function enqueue(id, ns, due)
  redis.call('ZADD', key('due', ns), due, id)
  redis.call('ZADD', queued, due, id)
end

-- leave lets the record of a settled call go when it has expired and, unless it or its callback is dead, make room.
local function leave(id, c, kept)
  local expires = now + (kept and c.keepDead or c.keep)
  redis.call('HSET', key('call', id), 'expires', expires)
  redis.call('ZADD', expiry, expires, id)
  if not kept then
    redis.call('ZADD', key('done', c.ns), c.key and math.max(c.keyUntil, now) or now, id)
  end
end

-- tellEnd queues the callback of a call that was settled just now; false when it has none. Of one before, the number of
-- takes stays, so that a sender that still has that settles nothing.
local function tellEnd(id, ns)
  local c = redis.call('HMGET', key('call', id), 'tellAttempts', 'tellFor', 'fn', 'spec')
  if not c[1] then
    return false
  end
  redis.call('HSET', key('call', id), 'callback', 'queued')
  redis.call('ZADD', base .. 'telling', now, id)
  enter(other)
  local call = key('call', id)
  grow(-redis.call('HSTRLEN', call, 'history'))
  redis.call('HSETNX', call, 'takes', 0)
  redis.call('HDEL', call, 'history', 'reason', 'settled', 'closed', 'redrive')
  redis.call('HSET', call, 'ns', ns, 'fn', c[3], 'spec', c[4], 'used', 0, 'created', now, 'until', now + c[2],
    'attempts', c[1], 'status', 'queued', 'due', now)
  enqueue(id, ns, now)
  place(ns)
  enter(other)
  return true
end

-- told lets the record of a call leave whose callback has come to that status.
local function told(id, status)
  enter(other)
  local c = read(id)
  if c then
    redis.call('ZREM', base .. 'telling', id)
    redis.call('HSET', key('call', id), 'callback', status)
    leave(id, c, c.status == 'dead' or status == 'dead')
  end
  enter(other)
end

-- settle ends a call that is neither queued nor running any more. Its payload stays as long as it may be redriven.
-- answer has its result, or how long one was that is not kept.
local function settle(id, c, status, reason, answer)
  local call = key('call', id)
  local lives = status == 'dead' and c.keepDead or c.keep or 0
  redis.call('HSET', call, 'status', status, 'reason', reason, 'settled', now, 'expires', now + lives,
    'used', c.used, 'history', c.history)
  if answer and answer.result ~= '' then
    redis.call('HSET', call, 'result', answer.result)
    grow(#answer.result)
  elseif answer and answer.dropped > 0 then
    redis.call('HSET', call, 'dropped', answer.dropped)
  end
  if status == 'succeeded' then
    grow(-redis.call('HSTRLEN', call, 'payload'))
    redis.call('HDEL', call, 'payload')
  end
  if status == 'dead' then
    redis.call('ZADD', dead, now, id)
  end
  if tells then
    told(id, status)
  elseif not tellEnd(id, c.ns) then
    leave(id, c, status == 'dead')
  end
  count(id, c.ns)
end

-- release ends the lease of a running call.
local function release(id, ns)
  redis.call('ZREM', leases, id)
  hold(ns, -1)
end

-- tell adds an attempt to the history of a call: its begin, its end and what is known of it, in a line. It keeps the
-- newest lines, and the last one alone where there is no room.
local function tell(c, detail, full)
  local line = c.taken .. ' ' .. now .. ' ' .. detail .. '\n'
  local history = (full and '' or c.history) .. line
  while #history > 65536 do
    local first = string.find(history, '\n', 1, true)
    if not first or first == #history then
      break
    end
    history = string.sub(history, first + 1)
  end
  grow(#history - #c.history)
  c.history = history
end

-- again queues a call that was taken, unless it would be too old.
local function again(id, c, delay, reason, answer)
  if now + delay > c.till then
    settle(id, c, 'dead', reason, answer)
    place(c.ns)
    return 'dead'
  end
  redis.call('HDEL', key('call', id), 'progress')
  redis.call('HSET', key('call', id), 'status', 'queued', 'due', now + delay, 'used', c.used, 'history', c.history)
  count(id, c.ns)
  enqueue(id, c.ns, now + delay)
  place(c.ns)
  return 'queued'
end

-- failed ends an attempt that failed; final says that no other would do better.
local function failed(id, c, final, delay, detail, reason, answer, full)
  tell(c, detail, full)
  c.used = c.used + 1
  if final or c.used >= c.attempts then
    settle(id, c, 'dead', reason, answer)
    place(c.ns)
    return 'dead'
  end
  return again(id, c, delay, reason, answer)
end
