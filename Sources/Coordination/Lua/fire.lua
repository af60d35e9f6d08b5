#!lua
-- Notes that a schedule fired for a slot (RefreshStore.fire).
--
-- ARGV  resource, slot ms; then the clock.
-- Returns 1 when it had not fired for that slot or a later one. O(1).
local last = num(call('HGET', P .. 'schedules', ARGV[1]), nil)
if last and last >= tonumber(ARGV[2]) then return 0 end
call('HSET', P .. 'schedules', ARGV[1], ARGV[2])
return 1
