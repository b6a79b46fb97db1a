-- Deletes a field of a hash and announces it.
-- KEYS: the hash
-- ARGV: channel, notice, field
redis.call('HDEL', KEYS[1], ARGV[3])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
