-- Marks a function that has no mark and that nobody has written since it was read.
-- KEYS: the function's hash
-- ARGV: version ID and hash of the code that were read, the field of the mark, the mark
if redis.call('HSTRLEN', KEYS[1], 'code') > 0 and (redis.call('HGET', KEYS[1], 'versionID') or '') == ARGV[1]
  and (redis.call('HGET', KEYS[1], 'hash') or '') == ARGV[2] then
  redis.call('HSETNX', KEYS[1], ARGV[3], ARGV[4])
end
