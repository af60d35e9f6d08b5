#!lua
-- Ends up to 100 jobs with success: of each payload, record, event and counters in one step
-- (RefreshStore.publish).
--
-- ARGV  19 per job: key, fence, nonce, kind (p payload inline, s payload staged, r renewal), content
--       type, encoding, stored bytes, size bytes, item count or '', collections or '', files or '',
--       content tag, source ETag or '', source Last-Modified or '', fresh ms (-1 never),
--       keep ms (-1 until purged), keep_jobs ms, payload or the staged key, maximum variants;
--       then the clock.
-- Returns for each {'published', version}, {'unrenewable'}, {'lost'}, {'unstaged'} or {'broken',
--       error}.
-- O(log n + bytes) per job. Keeps: one publication per lease; versions grow; nothing older replaces
-- newer. What the jobs share, sorted sets, counters and the event, is written once for all.
local W = 19
local answers, lines, published = {}, {}, {}
local locks, leased, due, undue, kept_until, unkept, index = {}, {}, {}, {}, {}, {}, {}
local ended, read, variants = {}, {}, {}
local tally = Tally()
local keep_jobs = 0

local function add(list, score, member)
  list[#list + 1] = score
  list[#list + 1] = member
end

local function publish(a)
  local key, fence, nonce, kind = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]
  local size = tonumber(ARGV[a + 7])
  local fresh_ms, keep_ms = tonumber(ARGV[a + 14]), tonumber(ARGV[a + 15])
  local body = ARGV[a + 17]
  local k, p = P .. 'k:' .. key, P .. 'p:' .. key
  local r = call('HMGET', k, 'st', 'fence', 'nonce', 'run', 'v', 'tag', 'mod', 'ls', 'att', 'w', 'ar',
    'ap', 'as', 'sc', 'dn', 'do', 'at', 'ku', 'vf')
  local version, run, started = num(r[5], 0), num(r[4], 0), num(r[8], now)

  if r[1] ~= 'r' or r[2] ~= fence or r[3] ~= nonce then
    local done = r[15] == nonce and r[16] and string.match(r[16], '^p(%d+)$')
    if done then return { 'published', done } end
    if kind == 's' then call('DEL', body) end
    return { 'lost' }
  end
  local kept = r[17] and num(r[18], now + 1) > now and call('EXISTS', p) == 1
  if kind == 'r' and not kept then return { 'unrenewable' } end

  local took = math.max(0, now - started)
  local set = { 'at', NOW, 'lr', NOW, 'le', NOW, 'ld', int(took), 'dn', nonce }
  local unset = { 'st', 'err', 'cf', 'on', unpack(JOB_FIELDS) }
  if r[19] and kind ~= 'r' then unset[#unset + 1] = 'vf' end
  local function put(name, value)
    if value == '' then unset[#unset + 1] = name return end
    add(set, name, value)
  end
  if kind == 'r' then
    if keep_ms >= 0 then call('PEXPIRE', p, int(keep_ms)) else call('PERSIST', p) end
  else
    version = math.max(version, num(r[19], 0)) + 1
    if kind == 's' then
      if call('EXISTS', body) == 0 then return { 'unstaged' } end
      call('RENAME', body, p)
      if keep_ms >= 0 then call('PEXPIRE', p, int(keep_ms)) else call('PERSIST', p) end
    elseif keep_ms >= 0 then
      call('SET', p, body, 'PX', int(math.max(1, keep_ms)))
    else
      call('SET', p, body)
    end
    put('v', int(version)) put('ct', ARGV[a + 4]) put('enc', ARGV[a + 5]) put('sb', ARGV[a + 6])
    put('sz', ARGV[a + 7]) put('ic', ARGV[a + 8]) put('cc', ARGV[a + 9]) put('fc', ARGV[a + 10])
    put('tag', ARGV[a + 11]) put('se', ARGV[a + 12]) put('sm', ARGV[a + 13])
    put('mod', kept and r[6] == ARGV[a + 11] and r[7] or NOW)
  end
  local fresh_until = fresh_ms >= 0 and int(now + fresh_ms) or ''
  local keep_until = keep_ms >= 0 and int(now + keep_ms) or ''
  put('fu', fresh_until)
  put('ku', keep_until)
  put('do', 'p' .. int(version))
  call('HDEL', k, unpack(unset))
  call('HSET', k, unpack(set))

  local resource, rerun = resource_of(key), num(r[11], nil)
  leased[#leased + 1] = key
  locks[#locks + 1] = P .. 'lock:' .. key
  if fresh_ms >= 0 and not rerun then add(due, fresh_until, key) else undue[#undue + 1] = key end
  if keep_ms >= 0 then add(kept_until, keep_until, key) else unkept[#unkept + 1] = key end
  add(index, 0, key)
  read[resource] = read[resource] or {}
  add(read[resource], NOW, key)
  variants[resource] = tonumber(ARGV[a + 18])
  published[key] = true
  tally.success(resource, took, kind == 'r' and 0 or size)
  if tonumber(ARGV[a + 16]) > 0 then
    keep_jobs = tonumber(ARGV[a + 16])
    add(ended, NOW, write_job(key, run, 'succeeded', class_of(r[14], nil), r[9], started, version,
      r[10], nil, keep_jobs))
  end
  lines[#lines + 1] = event('updated', key, run, version, nil, nil, kind == 'r' and '{"renewal":true}' or nil)
  if rerun then lines[#lines + 1] = start_rerun(key, rerun, num(r[12], 1), r[13], version) end
  return { 'published', int(version) }
end

for a = 1, #ARGV - W, W do
  -- What stands under a key may be of a foreign type: that is its job's failure alone.
  local ok, answer = pcall(publish, a)
  answers[#answers + 1] = ok and answer or broken(answer)
end

if #leased > 0 then
  call('ZREM', P .. 'leased', unpack(leased))
  call('DEL', unpack(locks))
  if #due > 0 then call('ZADD', P .. 'due', unpack(due)) end
  if #undue > 0 then call('ZREM', P .. 'due', unpack(undue)) end
  if #kept_until > 0 then call('ZADD', P .. 'kept', unpack(kept_until)) end
  if #unkept > 0 then call('ZREM', P .. 'kept', unpack(unkept)) end
  call('ZADD', P .. 'index', unpack(index))
  for resource, list in pairs(read) do
    call('ZADD', P .. 'read:' .. resource, 'NX', unpack(list))
  end
  tally.write()
  if #ended > 0 then note_ended(ended, keep_jobs) end
  for resource, maximum in pairs(variants) do
    evict(resource, maximum, published, #read[resource] / 2, lines)
  end
  emit(lines)
end
return answers
