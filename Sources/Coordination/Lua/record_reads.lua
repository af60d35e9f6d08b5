#!lua
-- Notes when keys were read, and counts reads (RefreshStore.recordReads).
--
-- ARGV  number of keys (at most 100), the keys, then RESOURCE, hits, misses, stale hits; the clock.
-- Returns 1. O(log n) per key.
local n = tonumber(ARGV[1])
for i = 2, n + 1 do
  local key = ARGV[i]
  local r = call('HMGET', P .. 'k:' .. key, 'at', 'fu', 'st')
  if r[1] then
    call('ZADD', P .. 'read:' .. resource_of(key), int(now), key)
    -- The monitor dropped it while nobody read it.
    if r[2] and (not r[3] or r[3] == 'f') then call('ZADD', P .. 'due', 'NX', r[2], key) end
  end
end
for i = n + 2, #ARGV - 1, 4 do
  local resource = ARGV[i]
  if ARGV[i + 1] ~= '0' then call('HINCRBY', P .. 'stats', resource .. ':hits', ARGV[i + 1]) end
  if ARGV[i + 2] ~= '0' then call('HINCRBY', P .. 'stats', resource .. ':miss', ARGV[i + 2]) end
  if ARGV[i + 3] ~= '0' then call('HINCRBY', P .. 'stats', resource .. ':stale', ARGV[i + 3]) end
end
return 1
