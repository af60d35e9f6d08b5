#!lua
-- Ends an attempt with failure: retrying or dead (RefreshStore.fail).
--
-- ARGV  key, fence, nonce, retry ms (-1: dead), error, source online 0|1, keep_jobs ms; then the clock.
-- Returns {'retrying', run_at}, {'dead'} or {'lost'}.
-- O(log n). Keeps: the kept payload stays; an attempt is settled once.
local key, fence, nonce = ARGV[1], ARGV[2], ARGV[3]
local retry, err, keep_jobs = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[7])
local k = P .. 'k:' .. key
local r = call('HMGET', k, 'st', 'fence', 'nonce', 'dn', 'do', 'ls', 'sc', 'cf')
if r[1] ~= 'r' or r[2] ~= fence or r[3] ~= nonce then
  if r[4] == nonce and r[5] == 'd' then return { 'dead' } end
  local at = r[4] == nonce and r[5] and string.match(r[5], '^t(%d+)$')
  if at then return { 'retrying', at } end
  return { 'lost' }
end
local resource = resource_of(key)
call('HINCRBY', P .. 'stats', resource .. ':fail', 1)
call('HSET', k, 'err', err, 'cf', int(num(r[8], 0) + 1), 'ld', int(math.max(0, now - num(r[6], now))),
  'le', int(now), 'dn', nonce, 'do', retry >= 0 and 't' .. int(now + retry) or 'd')
if ARGV[6] == '1' then call('HDEL', k, 'on') else call('HSET', k, 'on', '0') end
unlease(key)
if retry < 0 then
  emit(bury(key, err, keep_jobs))
  return { 'dead' }
end
local v = call('HMGET', k, 'run', 'v', 'att')
call('HDEL', k, 'nonce', 'lost', 'pg', 'll', 'sc')
call('HSET', k, 'st', 't', 'jf', 1, 'ra', int(now + retry), 'pr', class_of(r[7], nil))
call('ZADD', P .. 'delayed', int(now + retry), key)
wake()
emit({ event('retrying', key, num(v[1], 0), num(v[2], 0), v[3], now + retry,
  cjson.encode({ error = err })) })
return { 'retrying', int(now + retry) }
