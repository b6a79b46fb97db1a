-- Appends lines to the stream of a function if there is room for them.
-- KEYS: order, sizes, usage, expires, total, the function's stream
-- ARGV: namespace, ID, time to live in ms, lines of a function, bytes of a namespace, bytes of all, bytes of these lines at
-- the most, then the time, request ID, level and text of each line
-- Returns the namespace that has to give way before there is room, and whether that is for the sake of the total; or "", 0.
local stream = KEYS[6]
local id, ttl, lines = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local share, budget, cost = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, name in ipairs(redis.call('ZRANGEBYSCORE', expires, '-inf', '(' .. now, 'LIMIT', 0, 100)) do
  forgetNamespace(name)
end
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', order, '-inf', '(' .. now, 'LIMIT', 0, 100)) do
  forget(expired)
end
if count(usage, ns) + cost > share then
  return {ns, 0}
end
if all() + cost > budget and largest() == '' then
  redis.call('DEL', total) -- what it counted is lost
end
if all() + cost > budget then
  return {largest(), 1}
end
for i = 8, #ARGV, 4 do
  redis.call('XADD', stream, 'MAXLEN', '~', lines, '*', 't', ARGV[i], 'r', ARGV[i + 1], 'l', ARGV[i + 2], 'm', ARGV[i + 3])
end
resize(id, measure(stream, id))
local expiry = now + ttl
redis.call('ZADD', order, expiry, id)
redis.call('ZADD', expires, expiry, ns)
for _, key in ipairs(KEYS) do
  redis.call('PEXPIREAT', key, expiry)
end
return {'', 0}
