-- Writes a secret, if what is stored is still what its writer has read, and announces it.
-- KEYS: the hash of the scope
-- ARGV: channel, notice, name, record, the record that was read or nothing, the most fields
-- Returns 'changed' when something else is stored; the number of fields when there are too many; else nothing.
local stored = redis.call('HGET', KEYS[1], ARGV[3]) or ''
if stored ~= ARGV[5] then
  return 'changed'
end
if stored == '' then
  local count = redis.call('HLEN', KEYS[1])
  if count >= tonumber(ARGV[6]) then
    return count
  end
end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
