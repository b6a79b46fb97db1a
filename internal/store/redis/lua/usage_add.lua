-- Adds what a subject used in an hour to its day, unless this batch was added before.
-- KEYS: the hash of the subject's day
-- ARGV: the server, the number of its batch, the hour, calls, CPU time, memory, egress, when the hash ends in ms since 1970
-- Returns the four amounts of the whole day.
local names, used = {'calls', 'cpu', 'memory', 'egress'}, false
for i = 1, 4 do
  used = used or ARGV[3 + i] ~= '0'
end
local added = 'added:' .. ARGV[1]
if used and tonumber(redis.call('HGET', KEYS[1], added) or '0') < tonumber(ARGV[2]) then
  for i, name in ipairs(names) do
    if ARGV[3 + i] ~= '0' then
      redis.call('HINCRBY', KEYS[1], name, ARGV[3 + i])
      redis.call('HINCRBY', KEYS[1], name .. ':' .. ARGV[3], ARGV[3 + i])
    end
  end
  redis.call('HSET', KEYS[1], added, ARGV[2])
  redis.call('PEXPIREAT', KEYS[1], ARGV[8])
end
return redis.call('HMGET', KEYS[1], unpack(names))
