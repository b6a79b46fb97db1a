-- Replaces the environment of a function that nobody has written since it was read, and announces it.
-- KEYS: the function's hash
-- ARGV: channel, notice, version ID that was read (empty: none), new version ID, time, environment,
-- the field of the mark, the mark
-- Returns 1 when done, 0 when somebody else wrote, -1 when there is no function with that mark.
if redis.call('HSTRLEN', KEYS[1], 'code') == 0 or (redis.call('HGET', KEYS[1], ARGV[7]) or '') ~= ARGV[8] then
  return -1
end
local version = redis.call('HGET', KEYS[1], 'versionID') or ''
if version == ARGV[4] then
  return 1 -- this very write, sent again by a client that missed the answer
end
if version ~= ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[1], 'env', ARGV[6], 'versionID', ARGV[4], 'updated', ARGV[5])
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
return 1
