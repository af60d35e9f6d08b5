#!lua
-- Removes a key's payload for good and cancels its jobs; its version stays (RefreshStore.purge).
--
-- ARGV  key, keep_jobs ms; then the clock.
-- Returns 1 when there was anything to remove, else 0.
-- O(log n). Keeps: what was purged is never served again; versions go on.
local key, keep_jobs = ARGV[1], tonumber(ARGV[2])
local k = P .. 'k:' .. key
local r = call('HMGET', k, 'st', 'ar', 'ap', 'v', 'at')
local lines = {}
if r[1] and r[1] ~= 'f' then lines[1] = cancel_job(key, k, keep_jobs) end
local rerun = num(r[2], nil)
if rerun then
  call('HSET', k, 'fr', int(rerun))
  keep_job(key, rerun, 'cancelled', num(r[3], 1), nil, nil, nil, nil, nil, keep_jobs)
  lines[#lines + 1] = event('cancelled', key, rerun, num(r[4], 0))
end
call('ZREM', P .. 'dead', key)
drop_payload(key)
call('HDEL', k, 'st', 'err', 'cf', 'lr', 'ld', 'le', 'on', unpack(JOB_FIELDS))
if r[5] or r[1] or #lines > 0 then lines[#lines + 1] = event('purged', key, nil, num(r[4], 0)) end
emit(lines)
return #lines > 0 and 1 or 0
