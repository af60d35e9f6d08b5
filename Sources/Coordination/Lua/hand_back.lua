#!lua
-- Gives a job back unharmed: to its old place, attempt not counted (RefreshStore.handBack).
--
-- ARGV  key, fence, nonce, delay ms, source online 0|1; then the clock.
-- Returns 1, or 0 when the lease was lost before.
-- O(log n). Keeps: the job is claimable again or delayed, in one step.
local key, fence, nonce, delay = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local k = P .. 'k:' .. key
local r = call('HMGET', k, 'st', 'fence', 'nonce', 'dn', 'do')
if r[1] ~= 'r' or r[2] ~= fence or r[3] ~= nonce then
  return r[4] == nonce and r[5] == 'h' and 1 or 0
end
call('HSET', k, 'dn', nonce, 'do', 'h')
call('HDEL', k, 'lost')
if ARGV[5] == '0' then call('HSET', k, 'on', '0') end
emit({ return_job(key, k, delay) })
return 1
