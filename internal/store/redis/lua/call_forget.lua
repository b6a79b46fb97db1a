-- Frees an idempotency key whose call has ended and whose caller has waited.
-- KEYS: what the keys of the part begin with
-- ARGV: namespace, key
-- Returns "done" with what the part has, see amounts, "missing", or "not settled" for one that is held.
local id = redis.call('HGET', key('keys', ARGV[1]), ARGV[2])
local status = id and redis.call('HGET', key('call', id), 'status')
local till = id and redis.call('ZSCORE', expiry, id)
if not till or tonumber(till) <= now or status ~= 'held' and status ~= 'answered' then
  return {'missing'}
elseif status == 'held' then
  return {'not settled'}
end
drop(id)
return {'done', amounts()}
