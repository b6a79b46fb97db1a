-- Writes a copy of a function over what was there, unless that has changed.
-- KEYS: the function's hash
-- ARGV: version ID and hash of the code that were there (both empty: none), the field of the mark,
-- the mark, then field, value …
-- Returns 1 when done, 0 when somebody else wrote.
if (redis.call('HGET', KEYS[1], 'versionID') or '') ~= ARGV[1] or (redis.call('HGET', KEYS[1], 'hash') or '') ~= ARGV[2]
  or (redis.call('HGET', KEYS[1], ARGV[3]) or '') ~= ARGV[4] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
return 1
