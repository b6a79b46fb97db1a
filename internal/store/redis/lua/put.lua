-- Writes a function, announces it, and returns its environment, creation time and options as they are now.
-- KEYS: the function's hash, the list of functions (not in a cluster)
-- ARGV: channel, notice, member, code, hash of the code, version ID, time,
-- the most bytes of what is kept, the fields of options, the field of the mark,
-- the mark (empty: nobody else can be here), the fields of artefact and source, then field, value … of what replaces
-- the stored
-- Returns how long what would be kept is when that is too much, "met" when it is another function,
-- and writes nothing then.
-- The reads come first: they fail on a key of another type before anything is written.
local known = redis.call('HSTRLEN', KEYS[1], 'code') > 0
local fields = 13
if ARGV[11] ~= '' and redis.call('HGET', KEYS[1], ARGV[10]) ~= ARGV[11] then
  if known then
    return 'met'
  end
  redis.call('DEL', KEYS[1]) -- what is left of another one
end
local given = {}
for i = fields, #ARGV, 2 do
  given[ARGV[i]] = true
end
local length = 0
local kept = {'env', 'created'}
for option in string.gmatch(ARGV[9], '%S+') do
  kept[#kept + 1] = option
end
for _, field in ipairs(kept) do
  if not given[field] then
    length = length + redis.call('HSTRLEN', KEYS[1], field)
  end
end
if length > tonumber(ARGV[8]) then
  return length
end
if KEYS[2] then
  redis.call('ZADD', KEYS[2], 0, ARGV[3])
end
redis.call('HSET', KEYS[1], 'code', ARGV[4], 'hash', ARGV[5], 'versionID', ARGV[6], 'updated', ARGV[7])
if not known then
  redis.call('HSET', KEYS[1], 'created', ARGV[7])
end
if ARGV[11] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[10], ARGV[11])
end
for field in string.gmatch(ARGV[12], '%S+') do
  redis.call('HDEL', KEYS[1], field) -- those of an earlier deploy
end
if ARGV[fields] then
  redis.call('HSET', KEYS[1], unpack(ARGV, fields))
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
return redis.call('HMGET', KEYS[1], unpack(kept))
