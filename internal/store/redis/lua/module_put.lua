-- Writes a shared module, unless its namespace has too many.
-- KEYS: the hash of the modules of the namespace
-- ARGV: name, record, packed files, the most modules
-- Returns the number of fields when there are too many modules; else nothing.
local field = 'module:' .. ARGV[1]
if redis.call('HEXISTS', KEYS[1], field) == 0 then
  local fields = redis.call('HLEN', KEYS[1])
  if fields / 2 >= tonumber(ARGV[4]) then
    return fields
  end
end
redis.call('HSET', KEYS[1], field, ARGV[2], 'files:' .. ARGV[1], ARGV[3])
