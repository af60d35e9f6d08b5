#!lua flags=no-writes
-- The partition's queue at a glance (RefreshStore.queue).
--
-- ARGV  the clock.
-- Returns {now, high, normal, low, leased, delayed, dead, paused 0|1, key at the head or false,
--       its run, its ready time or false, ended in the last minute, {worker, line...}}.
-- O(log n + workers).
local counts = {}
for class = 0, 2 do
  counts[#counts + 1] = call('ZCOUNT', P .. 'waiting', int(class * CLASS), '(' .. int((class + 1) * CLASS))
end
-- The oldest of the three heads waits longest.
local oldest, oldest_run, oldest_ready = false, false, false
for class = 0, 2 do
  local head = call('ZRANGEBYSCORE', P .. 'waiting', int(class * CLASS), '(' .. int((class + 1) * CLASS),
    'LIMIT', 0, 1)[1]
  if head then
    local r = call('HMGET', P .. 'k:' .. head, 'run', 'rdy')
    local ready = num(r[2], math.floor(num(r[1], now_us) / 1000))
    if not oldest or ready < oldest_ready then
      oldest, oldest_run, oldest_ready = head, r[1], ready
    end
  end
end
return { now, counts[1], counts[2], counts[3], call('ZCARD', P .. 'leased'),
  call('ZCARD', P .. 'delayed'), call('ZCARD', P .. 'dead'),
  call('HGET', KEYS[1], 'paused') == '1' and 1 or 0, oldest, oldest_run or false,
  oldest_ready and int(oldest_ready) or false,
  call('ZCOUNT', P .. 'ended', int(now - 60000), '+inf'), call('HGETALL', P .. 'workers') }
