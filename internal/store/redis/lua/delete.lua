-- Deletes a function and announces it.
-- KEYS: the function's hash, the list of functions (not in a cluster)
-- ARGV: channel, notice, member
if KEYS[2] then
  redis.call('ZREM', KEYS[2], ARGV[3])
end
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
