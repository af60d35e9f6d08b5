#!lua
-- Tells that a worker is alive, or (timeout -1) that it ends (RefreshStore.announce, withdraw).
--
-- ARGV  id, capacity, running, version, timeout ms; then the clock.
-- Returns the live capacity. O(workers).
-- HASH workers: id -> 'capacity running last_seen deadline version'.
local id, timeout = ARGV[1], tonumber(ARGV[5])
if timeout < 0 then
  call('HDEL', P .. 'workers', id)
else
  call('HSET', P .. 'workers', id, table.concat({ ARGV[2], ARGV[3], int(now), int(now + timeout),
    ARGV[4] }, ' '))
end
local capacity, first_end = 0, now + 31536000000
local all = call('HGETALL', P .. 'workers')
for i = 1, #all, 2 do
  local c, seen, deadline = string.match(all[i + 1], '^(%d+) %d+ (%d+) (%d+)')
  -- A deadline far in the future is left from a clock that stepped back.
  if not c or num(deadline, 0) < now or num(seen, 0) > now + 60000 then
    call('HDEL', P .. 'workers', all[i])
  else
    capacity = capacity + num(c, 0)
    first_end = math.min(first_end, num(deadline, 0))
  end
end
-- Known until the first of them could be gone.
call('HSET', KEYS[1], 'capacity', int(capacity), 'capacity_until', int(first_end))
return capacity
