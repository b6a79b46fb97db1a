-- Drops calls of a part that have succeeded or were cancelled, and may make room for others.
-- KEYS: what the keys of the part begin with
-- Returns how many.
purge()
return evictAny(function()
  return true
end)
