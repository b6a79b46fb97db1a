-- Drops calls of a part that have succeeded or were cancelled, of the namespaces that have most.
-- KEYS: what the keys of the part begin with
-- ARGV: "calls" or "bytes", how many of them are enough, and down to which of what a namespace has it goes
-- Returns how many calls were dropped, and what they took.
purge()
local by, enough, least, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), 0
local had = by == 'calls' and calls or bytes
before = had()
local dropped, took = evictLargest(by, least, function()
  return before - had() < enough
end)
return {dropped, took}
