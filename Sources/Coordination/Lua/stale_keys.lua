#!lua
-- Stale keys without a job, oldest first (RefreshStore.staleKeys).
--
-- ARGV  limit, active window ms (0: all), cool-down ms; then the clock.
-- Returns {looked at, key, version, fresh_until...}.
-- O(100 log n), however many keys there are: only the head of `due` is read. What nobody reads is
-- taken out and returns with its next read; what has a job returns when that ends.
local limit, window, cool = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found = { 0 }
local head = call('ZRANGEBYSCORE', P .. 'due', '-inf', int(now), 'WITHSCORES', 'LIMIT', 0, 100)
for i = 1, #head, 2 do
  if #found >= 1 + limit * 3 then break end
  found[1] = found[1] + 1
  local key = head[i]
  local r = call('HMGET', P .. 'k:' .. key, 'st', 'v', 'le', 'fu')
  if r[1] and r[1] ~= 'f' then
    call('ZREM', P .. 'due', key)
  elseif r[1] == 'f' and now - num(r[3], 0) < cool then
    call('ZADD', P .. 'due', int(num(r[3], 0) + cool), key)
  else
    local read = num(call('ZSCORE', P .. 'read:' .. resource_of(key), key), 0)
    if window > 0 and now - read > window then
      call('ZREM', P .. 'due', key)
    else
      found[#found + 1] = key
      found[#found + 1] = int(num(r[2], 0))
      found[#found + 1] = int(num(r[4], now))
    end
  end
end
return found
