-- Makes room: functions of a namespace lose the older half of their lines, or all when there are few, until enough is free.
-- KEYS: order, sizes, usage, expires, total, then the streams of functions, those that printed nothing for longest first
-- ARGV: namespace, bytes to free, then the IDs of the functions
-- Returns how many bytes are still to be freed, and the namespace that takes the most now.
local need, few = tonumber(ARGV[2]), 10
if redis.call('ZCARD', order) == 0 then
  need = need - count(usage, ns)
  forgetNamespace(ns)
end
for i = 6, #KEYS do
  local stream, id = KEYS[i], ARGV[i - 3]
  local before = count(usage, ns)
  if need <= 0 then
    break
  end
  local length = redis.pcall('XLEN', stream)
  if type(length) ~= 'number' then -- the key is not ours
    forget(id)
  elseif length <= few then
    redis.call('DEL', stream)
    forget(id)
  else
    redis.call('XTRIM', stream, 'MAXLEN', math.floor(length / 2))
    resize(id, measure(stream, id))
  end
  need = need - (before - count(usage, ns))
end
return {need, largest()}
