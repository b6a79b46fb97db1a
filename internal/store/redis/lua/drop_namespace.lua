-- Deletes the record of a namespace under a key that another namespace may have as well.
-- KEYS: the namespace's hash
-- ARGV: namespace
if redis.call('HGET', KEYS[1], 'namespace') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
