#!lua
-- Ends a job with success: payload, record, event, counters in one step (RefreshStore.publish).
--
-- ARGV  key, fence, nonce, kind (p payload in ARGV[18], s payload staged, r renewal), content type,
--       encoding, stored bytes, size bytes, item count or '', collections or '', files or '',
--       content tag, source ETag or '', source Last-Modified or '', fresh ms (-1 never),
--       keep ms (-1 until purged), keep_jobs ms, payload or the staged key, maximum variants,
--       then the clock.
-- Returns {'published', version}, {'unrenewable'} or {'lost'}.
-- O(log n + bytes). Keeps: one publication per lease; versions grow; nothing older replaces newer.
local key, fence, nonce, kind = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local fresh_ms, keep_ms, keep_jobs = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17])
local k, p = P .. 'k:' .. key, P .. 'p:' .. key
local r = call('HMGET', k, 'st', 'fence', 'nonce', 'run', 'v', 'tag', 'mod', 'ls', 'att', 'w', 'ar',
  'ap', 'as', 'sc', 'dn', 'do', 'at', 'ku', 'vf')
local version, run, started = num(r[5], 0), num(r[4], 0), num(r[8], now)

if r[1] ~= 'r' or r[2] ~= fence or r[3] ~= nonce then
  local done = r[15] == nonce and r[16] and string.match(r[16], '^p(%d+)$')
  if done then return { 'published', done } end
  if kind == 's' then call('DEL', ARGV[18]) end
  return { 'lost' }
end
local kept = r[17] and num(r[18], now + 1) > now and call('EXISTS', p) == 1
if kind == 'r' and not kept then return { 'unrenewable' } end

local set = { 'at', int(now), 'lr', int(now), 'le', int(now), 'ld', int(math.max(0, now - started)),
  'dn', nonce }
local unset = { 'st', 'err', 'cf', 'on', unpack(JOB_FIELDS) }
if r[19] and kind ~= 'r' then unset[#unset + 1] = 'vf' end
local function put(name, value)
  if value == '' then unset[#unset + 1] = name return end
  set[#set + 1] = name
  set[#set + 1] = value
end
if kind == 'r' then
  if keep_ms >= 0 then call('PEXPIRE', p, int(keep_ms)) else call('PERSIST', p) end
else
  version = math.max(version, num(r[19], 0)) + 1
  if kind == 's' then
    if call('EXISTS', ARGV[18]) == 0 then return redis.error_reply('FRESHET staged payload is gone') end
    call('RENAME', ARGV[18], p)
    if keep_ms >= 0 then call('PEXPIRE', p, int(keep_ms)) else call('PERSIST', p) end
  elseif keep_ms >= 0 then
    call('SET', p, ARGV[18], 'PX', int(math.max(1, keep_ms)))
  else
    call('SET', p, ARGV[18])
  end
  put('v', int(version)) put('ct', ARGV[5]) put('enc', ARGV[6]) put('sb', ARGV[7])
  put('sz', ARGV[8]) put('ic', ARGV[9]) put('cc', ARGV[10]) put('fc', ARGV[11])
  put('tag', ARGV[12]) put('se', ARGV[13]) put('sm', ARGV[14])
  put('mod', kept and r[6] == ARGV[12] and r[7] or int(now))
end
put('fu', fresh_ms >= 0 and int(now + fresh_ms) or '')
put('ku', keep_ms >= 0 and int(now + keep_ms) or '')
put('do', 'p' .. int(version))
call('HDEL', k, unpack(unset))
call('HSET', k, unpack(set))
unlease(key)

local resource = resource_of(key)
if fresh_ms >= 0 then call('ZADD', P .. 'due', int(now + fresh_ms), key) else call('ZREM', P .. 'due', key) end
if keep_ms >= 0 then call('ZADD', P .. 'kept', int(now + keep_ms), key) else call('ZREM', P .. 'kept', key) end
call('ZADD', P .. 'index', 0, key)
call('ZADD', P .. 'read:' .. resource, 'NX', int(now), key)
count_success(resource, math.max(0, now - started), kind == 'r' and 0 or tonumber(ARGV[8]))
keep_job(key, run, 'succeeded', class_of(r[14], nil), r[9], started, version, r[10], nil, keep_jobs)

local lines = { event('updated', key, run, version, nil, nil, kind == 'r' and '{"renewal":true}' or nil) }
local rerun = num(r[11], nil)
if rerun then
  call('ZREM', P .. 'due', key)
  lines[2] = start_rerun(key, rerun, num(r[12], 1), r[13], version)
end
evict(resource, tonumber(ARGV[19]), key, lines)
emit(lines)
return { 'published', int(version) }
