#!lua
-- Becomes, stays or (lease -1) gives up being the leader (RefreshStore.lead, resign).
--
-- ARGV  candidate, lease ms; then the clock.
-- Returns 1 when the candidate leads. O(1). HASH leader: id, until.
local candidate, lease = ARGV[1], tonumber(ARGV[2])
local r = call('HMGET', P .. 'leader', 'id', 'until', 'lease')
if lease < 0 then
  if r[1] == candidate then call('DEL', P .. 'leader') end
  return 0
end
local ends = num(r[2], 0)
-- Clamped, so that a clock that stepped back does not make a leader for ever.
local live = r[1] and ends > now and ends <= now + num(r[3], 0)
if live and r[1] ~= candidate then return 0 end
call('HSET', P .. 'leader', 'id', candidate, 'until', int(now + lease), 'lease', int(lease))
return 1
