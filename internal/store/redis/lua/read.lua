-- Reads fields of a hash, unless they are too long together: anyone may have written them.
-- KEYS: the hash
-- ARGV: the most bytes, then the fields
-- Returns the values; nothing when the key holds another type; their length when that is too much.
local length = 0
for i = 2, #ARGV do
  local n = redis.pcall('HSTRLEN', KEYS[1], ARGV[i])
  if type(n) ~= 'number' then
    return {}
  end
  length = length + n
end
if length > tonumber(ARGV[1]) then
  return length
end
return redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
