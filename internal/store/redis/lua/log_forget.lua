-- Counts anew what a function takes whose lines were dropped.
-- KEYS: order, sizes, usage, expires, total, the function's stream
-- ARGV: namespace, ID
local id = ARGV[2]
if redis.call('HEXISTS', sizes, id) == 1 then
  if redis.call('EXISTS', KEYS[6]) == 1 then
    resize(id, measure(KEYS[6], id))
  else
    forget(id)
  end
end
return ''
