-- Takes tokens of the bucket of a rate.
-- KEYS: the bucket's hash
-- ARGV: tokens wanted, the most that the bucket has, the time in which it fills up in microseconds
-- Returns how many tokens were taken, in how many microseconds there is another one, and how many are left.
local want, most, fill = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'time')
local tokens = most
if kept[1] and kept[2] then
  local passed = math.max(now - tonumber(kept[2]), 0)
  tokens = math.min(tonumber(kept[1]) + passed * most / fill, most)
end
local taken = math.min(want, math.floor(tokens + 0.000001))
tokens = math.max(tokens - taken, 0)
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'time', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(fill / 1000) + 1000)
return {taken, math.ceil(math.max(1 - tokens, 0) * fill / most), math.floor(tokens)}
