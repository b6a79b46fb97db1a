-- Writes a route, unless another one has its pattern or there are too many, and announces it.
-- KEYS: the hash of routes
-- ARGV: channel, notice, name, record, pattern, the most routes
-- Returns the name of the route that has the pattern; the number of fields when there are too many routes; else nothing.
local field, pattern = 'route:' .. ARGV[3], 'pattern:' .. ARGV[5]
local holder = redis.call('HGET', KEYS[1], pattern)
if holder and holder ~= ARGV[3] then
  return holder
end
local old = redis.call('HGET', KEYS[1], field)
if old then
  local sound, record = pcall(cjson.decode, old)
  if sound and type(record) == 'table' and type(record.pattern) == 'string' then
    redis.call('HDEL', KEYS[1], 'pattern:' .. record.pattern)
  end
else
  local fields = redis.call('HLEN', KEYS[1])
  if fields / 2 >= tonumber(ARGV[6]) then
    return fields
  end
end
redis.call('HSET', KEYS[1], field, ARGV[4], pattern, ARGV[3])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
