-- Deletes a route and announces it.
-- KEYS: the hash of routes
-- ARGV: channel, notice, name
local field = 'route:' .. ARGV[3]
local old = redis.call('HGET', KEYS[1], field)
if old then
  local sound, record = pcall(cjson.decode, old)
  if sound and type(record) == 'table' and type(record.pattern) == 'string' then
    redis.call('HDEL', KEYS[1], 'pattern:' .. record.pattern)
  end
  redis.call('HDEL', KEYS[1], field)
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
