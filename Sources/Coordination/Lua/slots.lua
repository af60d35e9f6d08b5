#!lua
-- Takes, renews or (maximum -1) gives back slots under `max_concurrent`. They count over all
-- partitions, so they stand in the first (RefreshStore.takeSlots, giveBackSlots).
--
-- ARGV  maximum, then 1..100 slots, each LEASE_MS-NAME, made up by the caller; then the clock.
-- Returns {1|0...}: which of them the caller has now.
-- O(slots · log n). Keeps: at most `maximum` live ones; who has one already renews it, so that a
-- repeat after a lost reply gets the same answer.
local maximum, slots = tonumber(ARGV[1]), P .. 'slots'
local function lease_of(slot) return num(string.match(slot, '^%d+'), 0) end
local function hold(slot) call('ZADD', slots, int(now + lease_of(slot)), slot) end
local has = {}
if maximum < 0 then
  for i = 2, #ARGV - 1 do
    call('ZREM', slots, ARGV[i])
    has[#has + 1] = 0
  end
  return has
end
for i = 2, #ARGV - 1 do
  has[i - 1] = call('ZSCORE', slots, ARGV[i]) and 1 or 0
  if has[i - 1] == 1 then hold(ARGV[i]) end
end
for _, slot in ipairs(call('ZRANGEBYSCORE', slots, '-inf', int(now), 'LIMIT', 0, 100)) do
  call('ZREM', slots, slot)
end
-- A clock that stepped back leaves deadlines further away than their lease.
local late = call('ZREVRANGE', slots, 0, 19, 'WITHSCORES')
for i = 1, #late, 2 do
  if num(late[i + 1], 0) > now + lease_of(late[i]) then hold(late[i]) end
end
local room = maximum - call('ZCARD', slots)
for i = 2, #ARGV - 1 do
  if has[i - 1] == 0 and room > 0 then
    hold(ARGV[i])
    has[i - 1] = 1
    room = room - 1
  end
end
return has
