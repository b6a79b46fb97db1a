-- Renews leases.
-- KEYS: what the keys of the part begin with
-- ARGV: the lease in ms, then ID, function, number of the take, progress (empty: as it was) of each
-- Returns those that are lost, each as its ID, a space and the number of the take.
local lease, lost = tonumber(ARGV[1]), {}
for i = 2, #ARGV, 4 do
  local id = ARGV[i]
  local c = read(id)
  if c and c.fn == ARGV[i + 1] and c.status == 'running' and c.takes == tonumber(ARGV[i + 2]) then
    redis.call('ZREM', leases, id)
    redis.call('ZADD', leases, now + lease, id)
    redis.call('HSET', key('call', id), 'lease', now + lease)
    if ARGV[i + 3] ~= '' then
      redis.call('HSET', key('call', id), 'progress', ARGV[i + 3])
    end
  else
    lost[#lost + 1] = id .. ' ' .. ARGV[i + 2]
  end
end
return lost
