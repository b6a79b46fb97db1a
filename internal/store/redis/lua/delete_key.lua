-- Deletes a key and announces it.
-- KEYS: the key
-- ARGV: channel, notice
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
