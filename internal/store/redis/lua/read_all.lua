-- Reads all records of a hash, unless they are too long together: anyone may have written them.
-- KEYS: the hash
-- ARGV: prefix of the fields of records, the most bytes
-- Returns name, record, name, record …; their length when that is too much.
local length, found = 0, {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local isRecord = string.sub(field, 1, #ARGV[1]) == ARGV[1]
  length = length + #field + (isRecord and redis.call('HSTRLEN', KEYS[1], field) or 0)
  if length > tonumber(ARGV[2]) then
    return length
  end
  if isRecord then
    found[#found + 1] = string.sub(field, #ARGV[1] + 1)
    found[#found + 1] = redis.call('HGET', KEYS[1], field)
  end
end
return found
