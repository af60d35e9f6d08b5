#!lua
-- Renews leases by their full length and records progress (RefreshStore.heartbeat).
--
-- ARGV  5 per claim, at most 100 claims: key, fence, nonce, lease ms, progress JSON or '';
--       then the clock.
-- Returns {1|0...}: whether each lease is still held.
-- O(log n) per claim. Keeps: only the holder of fence and nonce renews; a cancelled source that
-- takes its time to end keeps its key from being claimed.
local held, lines = {}, {}
for i = 1, #ARGV - 5, 5 do
  local key, fence, nonce = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local lease, progress = ARGV[i + 3], ARGV[i + 4]
  local k = P .. 'k:' .. key
  local r = call('HMGET', k, 'st', 'fence', 'nonce', 'run', 'v', 'sn')
  local mine = r[1] == 'r' and r[2] == fence and r[3] == nonce
  if mine then
    call('ZADD', P .. 'leased', int(now + tonumber(lease)), key)
    call('SET', P .. 'lock:' .. key, fence .. ':' .. nonce, 'PX', lease)
    if progress ~= '' then
      call('HSET', k, 'pg', progress)
      lines[#lines + 1] = event('progress', key, num(r[4], 0), num(r[5], 0), nil, nil, progress)
    end
  elseif r[6] == nonce then
    call('ZADD', P .. 'stopping', int(now + tonumber(lease)), key)
  end
  held[#held + 1] = mine and 1 or 0
end
emit(lines)
return held
