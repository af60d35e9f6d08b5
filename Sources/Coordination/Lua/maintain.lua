#!lua
-- Promotes, reaps, clamps and mends, at most 100 of each (RefreshStore.maintain).
--
-- ARGV  keep_jobs ms, interval ms: nothing is done when a round ended less than that ago; then the
--       clock.
-- Returns {promoted, repaired, {RUN-KEY reaped...}, {RUN-KEY dead...}}.
-- O(100 log n). Keeps: no key is stuck; deadlines are at most one lease away on Redis' clock.
local keep_jobs, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local reaped, dead, lines, repaired = {}, {}, {}, 0
-- A time in the future is left from a clock that stepped back.
local ended = num(call('HGET', KEYS[1], 'maintained'), 0)
if ended <= now and now - ended < interval then return { 0, 0, reaped, dead } end
local promoted = promote(100)

local function reap(key)
  local k = P .. 'k:' .. key
  local r = call('HMGET', k, 'st', 'run', 'lost')
  local run = int(num(r[2], 0))
  if r[1] ~= 'r' then
    -- A lease without a running record: evicted, or its fields were changed from outside.
    unlease(key)
    repaired = repaired + 1
    if not r[1] then place(key, 1) end
    return
  end
  local lost = num(r[3], 0) + 1
  call('HSET', k, 'lost', lost)
  if lost >= 3 then
    local err = 'the lease was lost ' .. lost .. ' times in a row: the worker died or hung'
    local since = num(call('HGET', k, 'ls'), now)
    call('HSET', k, 'err', err, 'le', int(now), 'ld', int(math.max(0, now - since)))
    call('HINCRBY', k, 'cf', 1)
    call('HINCRBY', P .. 'stats', resource_of(key) .. ':fail', 1)
    unlease(key)
    for _, line in ipairs(bury(key, err, keep_jobs)) do lines[#lines + 1] = line end
    dead[#dead + 1] = run .. '-' .. key
  else
    lines[#lines + 1] = return_job(key, k, 0)
    reaped[#reaped + 1] = run .. '-' .. key
  end
end

for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'leased', '-inf', int(now), 'LIMIT', 0, 100)) do
  reap(key)
end
-- A clock that stepped back leaves deadlines further away than their lease.
for _, pair in ipairs({ call('ZREVRANGE', P .. 'leased', 0, 19, 'WITHSCORES') }) do
  for i = 1, #pair, 2 do
    local lease = num(call('HGET', P .. 'k:' .. pair[i], 'll'), 600000)
    if num(pair[i + 1], 0) > now + lease then
      call('ZADD', P .. 'leased', int(now + lease), pair[i])
      repaired = repaired + 1
    end
  end
end
-- Cancelled sources that nobody speaks for any more.
for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'stopping', '-inf', int(now), 'LIMIT', 0, 100)) do
  free(key, P .. 'k:' .. key)
end
for _, pair in ipairs({ call('ZREVRANGE', P .. 'stopping', 0, 19, 'WITHSCORES') }) do
  for i = 1, #pair, 2 do
    local lease = num(call('HGET', P .. 'k:' .. pair[i], 'sl'), 600000)
    if num(pair[i + 1], 0) > now + lease then
      call('ZADD', P .. 'stopping', int(now + lease), pair[i])
      repaired = repaired + 1
    end
  end
end
-- Heads of the queues whose record says otherwise.
for _, key in ipairs(call('ZRANGE', P .. 'waiting', 0, 9)) do
  local st = call('HGET', P .. 'k:' .. key, 'st')
  if st ~= 'q' then
    repaired = repaired + 1
    if st == 'r' and call('ZSCORE', P .. 'leased', key) then
      call('ZREM', P .. 'waiting', key)
    else
      call('ZREM', P .. 'delayed', key)
      call('ZREM', P .. 'dead', key)
      call('HSET', P .. 'k:' .. key, 'st', 'q', 'run', int(now_us))
    end
  end
end
-- What is past keep_for goes.
for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'kept', '-inf', int(now), 'LIMIT', 0, 20)) do
  local r = call('HMGET', P .. 'k:' .. key, 'st', 'v')
  drop_payload(key)
  lines[#lines + 1] = event('purged', key, nil, num(r[2], 0))
  if not r[1] and string.find(key, '?', 1, true) then
    call('EXPIRE', P .. 'k:' .. key, 2592000)
  end
end
emit(lines)
-- With more to do the next round may follow at once.
if math.max(promoted, repaired, #reaped + #dead) < 100 then
  call('HSET', KEYS[1], 'maintained', int(now))
else
  call('HDEL', KEYS[1], 'maintained')
end
return { promoted, repaired, reaped, dead }
