-- Replaces the record of a namespace, or deletes it when no fields are given, and announces it.
-- KEYS: the namespace's hash
-- ARGV: channel, notice, then field, value, field, value …
redis.call('DEL', KEYS[1])
if ARGV[3] then
  redis.call('HSET', KEYS[1], unpack(ARGV, 3))
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
