-- Writes a function, announces it, and returns its environment, creation time and options as they are now.
-- KEYS: the function's hash, the list of functions (not in a cluster)
-- ARGV: channel, notice, member, code, hash of the code, version ID, time, then field, value … of what replaces the stored
-- The reads come first: they fail on a key of another type before anything is written.
local code = redis.call('HGET', KEYS[1], 'code')
if KEYS[2] then
  redis.call('ZADD', KEYS[2], 0, ARGV[3])
end
redis.call('HSET', KEYS[1], 'code', ARGV[4], 'hash', ARGV[5], 'versionID', ARGV[6], 'updated', ARGV[7])
if not code or code == '' then
  redis.call('HSET', KEYS[1], 'created', ARGV[7])
end
if ARGV[8] then
  redis.call('HSET', KEYS[1], unpack(ARGV, 8))
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
return redis.call('HMGET', KEYS[1], 'env', 'created', 'runtime', 'maxInvocations', 'maxConcurrency')
