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
--   done:<ns>     sorted set: the calls of a namespace that may make room, by since when
--   keyed         sorted set: the settled calls that may make room once their idempotency key counts no more, by when
--   spare         hash: what those of done take, of each namespace
--   spares        hash: how many calls of the part may make room, and what they take
--   most:calls, most:bytes  sorted sets: the namespaces that have such, by how many calls they have and what these take
--   list:<fn>     sorted set: the calls of a function, in the order of their IDs
--   keys:<ns>     hash: idempotency keys, each with the ID of its call
--   calls, bytes  hashes: how many calls a namespace has, and what they take
--   size          what all calls of the part take
--   call:<id>     also a hash for an idempotency key whose caller waits: "held", and "answered" once it has its answer; it
--                 is in keys:<ns>, and in expiry by when its lease or its time is over, and nowhere else
--   telling       sorted set: the settled calls whose callback is not over; they do not expire and make no room
-- Callbacks are in a queue like it, whose keys begin with callbacks: after that. A callback has the ID of its call, and
-- its record goes with that of its call: there are no expiry, done, list, keys, calls, bytes, size, and what is about room.
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
    redis.call('INCRBY', of .. 'size', grown)
    redis.call('ZADD', of .. 'most:bytes', 'XX', redis.call('HINCRBY', of .. 'bytes', ns, grown), ns)
    grown = 0
  end
end

-- add counts a new call.
local function add(ns, size)
  redis.call('ZADD', base .. 'most:calls', 'XX', redis.call('HINCRBY', base .. 'calls', ns, 1), ns)
  redis.call('ZADD', base .. 'most:bytes', 'XX', redis.call('HINCRBY', base .. 'bytes', ns, size), ns)
  redis.call('INCRBY', base .. 'size', size)
end

-- rank puts a namespace among those with calls that may make room, if it has such.
local function rank(ns)
  if redis.call('EXISTS', key('done', ns)) == 1 then
    redis.call('ZADD', base .. 'most:calls', number(base .. 'calls', ns), ns)
    redis.call('ZADD', base .. 'most:bytes', number(base .. 'bytes', ns), ns)
  else
    redis.call('ZREM', base .. 'most:calls', ns)
    redis.call('ZREM', base .. 'most:bytes', ns)
    redis.call('HDEL', base .. 'spare', ns)
  end
end

local function addSpare(ns, calls, size)
  redis.call('HINCRBY', base .. 'spare', ns, size)
  redis.call('HINCRBY', base .. 'spares', 'bytes', size)
  if redis.call('HINCRBY', base .. 'spares', 'calls', calls) <= 0 then
    redis.call('DEL', base .. 'spares')
  end
end

-- offer lets a settled call make room from now on; retract takes that back, also if it only was to come. Its namespace
-- is to be ranked.
local function offer(id, ns)
  redis.call('ZADD', key('done', ns), now, id)
  addSpare(ns, 1, number(key('call', id), 'size'))
end

local function retract(id, ns)
  redis.call('ZREM', base .. 'keyed', id)
  if redis.call('ZREM', key('done', ns), id) == 1 then
    addSpare(ns, -1, -number(key('call', id), 'size'))
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
  retract(id, ns)
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
  rank(ns)
end

-- purge drops what has expired, and lets those make room whose idempotency key counts no more.
local function purge()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, few)) do
    drop(id)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. 'keyed', '-inf', now, 'LIMIT', 0, few)) do
    redis.call('ZREM', base .. 'keyed', id)
    local ns = redis.call('HGET', key('call', id), 'ns')
    if ns then
      offer(id, ns)
      rank(ns)
    end
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

-- spares is how many calls of the part may make room, and what they take.
local function spares()
  return number(base .. 'spares', 'calls'), number(base .. 'spares', 'bytes')
end

-- amounts is how many calls the part has, what they take, and both for those that may make room.
local function amounts()
  return calls(), bytes(), spares()
end

-- leaves is queue.Leaves: whether who has own may have more, of what all have within a limit.
local function leaves(own, more, all, limit)
  local left = limit - all - more
  return limit == 0 or more <= 0 or left >= 0 and (own == 0 or own + more <= left)
end

-- leavesRoom says whether a namespace may have so many calls and bytes more that make no room. Others are the calls of
-- other parts that make none, limits those of all parts; 0 is none.
local function leavesRoom(ns, moreCalls, moreBytes, others, limits)
  local spareCalls, spareBytes = spares()
  local own = number(base .. 'calls', ns) - redis.call('ZCARD', key('done', ns))
  local ownBytes = own == 0 and 0 or number(base .. 'bytes', ns) - number(base .. 'spare', ns)
  return leaves(own, moreCalls, others.calls + calls() - spareCalls, limits.calls)
    and leaves(ownBytes, moreBytes, others.bytes + bytes() - spareBytes, limits.bytes)
end

-- evict drops calls of a namespace that may make room, the oldest first, as long as over says that it is needed.
local function evict(ns, over)
  for _ = 1, few do
    local oldest = over() and redis.call('ZRANGE', key('done', ns), 0, 0)[1]
    if not oldest then
      return
    end
    drop(oldest)
  end
end

-- evictLargest is evict for the namespaces of the part that have most, by "calls" or "bytes", as long as that is as much
-- as least. It returns how many calls it drops, and what they took.
local function evictLargest(by, least, over)
  local dropped, before = 0, bytes()
  while dropped < few and over() do
    local largest = redis.call('ZREVRANGE', base .. 'most:' .. by, 0, 0, 'WITHSCORES')
    if not largest[1] or tonumber(largest[2]) < least then
      break
    end
    drop(redis.call('ZRANGE', key('done', largest[1]), 0, 0)[1])
    dropped = dropped + 1
  end
  return dropped, before - bytes()
end

-- room makes room for one more call of a namespace that takes so many bytes. From i on ARGV has the most calls of the
-- namespace, the most of all, how many other parts have and how many of these may make room, the same four for bytes, and
-- "last" when nothing more can be done for room elsewhere. A limit of all is 0 for none. It returns "full", or "all full"
-- with what there is too much of, "calls", "bytes" or "share", or nil.
local function room(ns, size, i)
  local function limit(at)
    return tonumber(ARGV[i + at])
  end
  local function full()
    return number(base .. 'calls', ns) + 1 > limit(0) or number(base .. 'bytes', ns) + size > limit(4)
  end
  if size <= limit(4) then -- what never fits takes no other's place
    evict(ns, full)
  end
  if full() then
    return 'full'
  end
  local others = {calls = limit(2) - limit(3), bytes = limit(6) - limit(7)}
  if not leavesRoom(ns, 1, size, others, {calls = limit(1), bytes = limit(5)}) then
    return 'all full', 'share'
  end
  local function tooMany()
    return limit(1) > 0 and limit(2) + calls() + 1 > limit(1)
  end
  local function tooLarge()
    return limit(5) > 0 and limit(6) + bytes() + size > limit(5)
  end
  if ARGV[i + 8] == 'last' then
    evictLargest('calls', 0, tooMany)
    evictLargest('bytes', 0, tooLarge)
  end
  if tooMany() then
    return 'all full', 'calls'
  elseif tooLarge() then
    return 'all full', 'bytes'
  end
end

-- roomFor is room for more bytes of a call that is there. Stays says that it will not make room at once. From i on ARGV has
-- what room needs for bytes; the limit of a namespace is 0 for none, too.
local function roomFor(ns, more, stays, i)
  local most, mostOfAll, others = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local function full()
    return most > 0 and number(base .. 'bytes', ns) + more > most
  end
  local function allFull()
    return mostOfAll > 0 and others + bytes() + more > mostOfAll
  end
  if more <= most then -- see room
    evict(ns, full)
  end
  if full() then
    return 'full'
  end
  local of = {calls = 0, bytes = others - tonumber(ARGV[i + 3])}
  if stays and not leavesRoom(ns, 0, more, of, {calls = 0, bytes = mostOfAll}) then
    return 'all full', 'share'
  end
  if more <= mostOfAll and ARGV[i + 4] == 'last' then
    evictLargest('bytes', 0, allFull)
  end
  if allFull() then
    return 'all full', 'bytes'
  end
end

-- read is what scripts need of a call; nil when there is none.
local function read(id)
  local c = redis.call('HMGET', key('call', id), 'status', 'takes', 'ns', 'taken', 'attempts', 'until', 'fn', 'closed',
    'used', 'keep', 'keepDead', 'key', 'keyUntil', 'history', 'step', 'steps', 'tellAttempts')
  if not c[1] then
    return nil
  end
  return {
    status = c[1], takes = tonumber(c[2]), ns = c[3], taken = c[4] or 0, attempts = tonumber(c[5]),
    till = tonumber(c[6]), fn = c[7], closed = tonumber(c[8] or 0), used = tonumber(c[9] or 0), keep = tonumber(c[10]),
    keepDead = tonumber(c[11]), key = c[12], keyUntil = tonumber(c[13] or 0), history = c[14] or '',
    step = tonumber(c[15] or 0), steps = c[16], tells = c[17],
  }
end

-- enqueue makes a call wait until it is due. Its namespace is to be placed.
local function enqueue(id, ns, due)
  redis.call('ZADD', key('due', ns), due, id)
  redis.call('ZADD', queued, due, id)
end

-- leave lets the record of a settled call go when it has expired and, unless it or its callback is dead, make room.
local function leave(id, c, kept)
  count(id, c.ns)
  local expires = now + (kept and c.keepDead or c.keep)
  redis.call('HSET', key('call', id), 'expires', expires)
  redis.call('ZADD', expiry, expires, id)
  if kept then
    return
  elseif c.key and c.keyUntil > now then
    redis.call('ZADD', base .. 'keyed', c.keyUntil, id)
  else
    offer(id, c.ns)
    rank(c.ns)
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
