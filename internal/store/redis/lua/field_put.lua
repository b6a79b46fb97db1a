-- Writes a field of a hash, unless there are too many, and announces it.
-- KEYS: the hash
-- ARGV: channel, notice, field, value, the most fields
-- Returns the number of fields when there are too many; else nothing.
if redis.call('HEXISTS', KEYS[1], ARGV[3]) == 0 then
  local count = redis.call('HLEN', KEYS[1])
  if count >= tonumber(ARGV[5]) then
    return count
  end
end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
