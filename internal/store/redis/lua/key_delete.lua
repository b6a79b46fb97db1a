-- Deletes a key and announces it.
-- KEYS: the hash of keys
-- ARGV: channel, notice, ID
redis.call('HDEL', KEYS[1], ARGV[3])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
