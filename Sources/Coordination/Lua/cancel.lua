#!lua
-- Ends a job that waits, is delayed or runs, or forgets a rerun (RefreshStore.cancel).
--
-- ARGV  key, run, keep_jobs ms; then the clock.
-- Returns 'removed', 'stopped', 'unknown' or the state it had ended in.
-- O(log n). Keeps: a cancelled job cannot publish; a rerun of its own id stays.
local key, run, keep_jobs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local k = P .. 'k:' .. key
local r = call('HMGET', k, 'st', 'run', 'ar', 'ap', 'as', 'v')
if num(r[3], -1) == run then
  call('HDEL', k, 'ar', 'ap', 'as')
  -- Its number is not given again, also when the clock steps back.
  call('HSET', k, 'fr', int(run))
  keep_job(key, run, 'cancelled', num(r[4], 1), nil, nil, nil, nil, nil, keep_jobs)
  emit({ event('cancelled', key, run, num(r[6], 0)) })
  return 'removed'
end
local ended = call('GET', P .. 'job:' .. int(run) .. '-' .. key)
if ended then return string.match(ended, '^%a+') end
if num(r[2], -1) ~= run or not r[1] then return 'unknown' end
if r[1] == 'f' then return 'dead' end
local lines = { cancel_job(key, k, keep_jobs) }
local rerun = num(r[3], nil)
if rerun then
  call('ZREM', P .. 'due', key)
  lines[2] = start_rerun(key, rerun, num(r[4], 1), r[5], num(r[6], 0))
end
emit(lines)
return r[1] == 'r' and 'stopped' or 'removed'
