-- Appends records, and drops those that are too old or too many.
-- KEYS: the stream
-- ARGV: time to live in ms, the most records, how many more of them there may be until some are dropped,
-- then the group and the record of each
local stream, ttl, most, slack = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 4, #ARGV, 2 do
  redis.call('XADD', stream, '*', 'g', ARGV[i], 'r', ARGV[i + 1])
end
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ttl
repeat
  local old = redis.call('XRANGE', stream, '-', string.format('%.0f', oldest), 'COUNT', 500)
  for _, entry in ipairs(old) do
    redis.call('XDEL', stream, entry[1])
  end
until #old == 0
redis.call('PEXPIRE', stream, ttl)
local total = redis.call('XLEN', stream)
if total <= most + slack then
  return
end

-- The group with the most loses its oldest: see audit.Evict.
local counts, ids, groups, from = {}, {}, {}, '-'
repeat
  local some = redis.call('XRANGE', stream, from, '+', 'COUNT', 500)
  for _, entry in ipairs(some) do
    local group = entry[2][2]
    counts[group] = (counts[group] or 0) + 1
    ids[#ids + 1], groups[#groups + 1] = entry[1], group
    local ms, seq = string.match(entry[1], '^(%d+)-(%d+)$')
    from = ms .. '-' .. string.format('%.0f', seq + 1)
  end
until #some == 0
local low, high = 0, 0
for _, n in pairs(counts) do
  high = math.max(high, n)
end
while low < high do
  local level, sum = math.floor((low + high + 1) / 2), 0
  for _, n in pairs(counts) do
    sum = sum + math.min(n, level)
  end
  if sum <= most then
    low = level
  else
    high = level - 1
  end
end
for i = 1, #ids do
  if total <= most then
    break
  end
  if counts[groups[i]] > low then
    counts[groups[i]] = counts[groups[i]] - 1
    redis.call('XDEL', stream, ids[i])
    total = total - 1
  end
end
