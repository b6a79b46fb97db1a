-- Deletes a function that nobody has written since it was read, and announces it if there is a notice.
-- KEYS: the function's hash
-- ARGV: version ID and hash of the code that were read, the field of the mark, the mark, channel, notice (empty: none)
-- Returns 1 when done, 0 when somebody else wrote.
if (redis.call('HGET', KEYS[1], 'versionID') or '') ~= ARGV[1] or (redis.call('HGET', KEYS[1], 'hash') or '') ~= ARGV[2]
  or (redis.call('HGET', KEYS[1], ARGV[3]) or '') ~= ARGV[4] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[6] ~= '' then
  redis.pcall('PUBLISH', ARGV[5], ARGV[6])
end
return 1
