-- Prepended to publish and to what ends attempts: counters and eviction.

-- Counters and moving averages (weight 0.2 for the newest) of resources and of all: read and
-- written once, however many successes a script has.
local function Tally()
  local resources, all = {}, nil
  local function smooth(old, duration) return old and old * 0.8 + duration * 0.2 or duration end
  local function success(resource, duration, bytes)
    local t = resources[resource]
    if not t then
      local s = call('HMGET', P .. 'stats', resource .. ':ok', resource .. ':dur', resource .. ':avg',
        resource .. ':bytes')
      t = { ok = num(s[1], 0), dur = num(s[2], 0), avg = num(s[3], nil), bytes = num(s[4], 0) }
      resources[resource] = t
    end
    if not all then all = { avg = num(call('HGET', KEYS[1], 'avg'), nil) } end
    t.ok, t.dur, t.bytes = t.ok + 1, t.dur + duration, t.bytes + bytes
    t.avg, all.avg = smooth(t.avg, duration), smooth(all.avg, duration)
  end
  local function write()
    if not all then return end
    for resource, t in pairs(resources) do
      call('HSET', P .. 'stats', resource .. ':ok', int(t.ok), resource .. ':dur', int(t.dur),
        resource .. ':avg', string.format('%.3f', t.avg), resource .. ':bytes', int(t.bytes),
        resource .. ':last', int(now))
    end
    call('HSET', KEYS[1], 'avg', string.format('%.3f', all.avg))
  end
  return { success = success, write = write }
end

-- Forgets what is kept of a key; its version stays. A variant's record goes after 30 days.
local function drop_payload(key)
  local k = P .. 'k:' .. key
  call('DEL', P .. 'p:' .. key)
  call('HDEL', k, 'ct', 'enc', 'sb', 'sz', 'ic', 'cc', 'fc', 'tag', 'se', 'sm', 'at', 'mod', 'fu', 'ku')
  call('ZREM', P .. 'due', key)
  call('ZREM', P .. 'kept', key)
  call('ZREM', P .. 'index', key)
  call('ZREM', P .. 'read:' .. resource_of(key), key)
end

-- Beyond `maximum` keys of a resource the least recently read go, but for those with a job and the
-- `count` keys of the set `spare`; at most 10, or 2 for each of those, so that it catches up.
local function evict(resource, maximum, spare, count, lines)
  local read = P .. 'read:' .. resource
  local excess = math.min(math.max(10, 2 * count), call('ZCARD', read) - maximum)
  if excess <= 0 then return end
  for _, key in ipairs(call('ZRANGE', read, 0, excess + count + 8)) do
    if excess == 0 then return end
    local r = call('HMGET', P .. 'k:' .. key, 'st', 'v')
    if not spare[key] and (not r[1] or r[1] == 'f') then
      drop_payload(key)
      call('ZREM', P .. 'dead', key)
      call('HDEL', P .. 'k:' .. key, 'st', 'lr', 'ld', 'le', 'err', 'cf', 'on', unpack(JOB_FIELDS))
      call('EXPIRE', P .. 'k:' .. key, 2592000)
      lines[#lines + 1] = event('purged', key, nil, num(r[2], 0))
      excess = excess - 1
    end
  end
end

-- Makes the key's job dead, or hands over to its rerun; the event lines. The lease is gone already.
local function bury(key, err, keep_jobs)
  local k = P .. 'k:' .. key
  local r = call('HMGET', k, 'run', 'v', 'att', 'ls', 'w', 'ar', 'ap', 'as', 'sc', 'pr', 'at', 'fu')
  local run, version, rerun = num(r[1], 0), num(r[2], 0), num(r[6], nil)
  local class = class_of(r[9], r[10])
  keep_job(key, run, 'dead', class, r[3], num(r[4], nil), nil, r[5], err, keep_jobs)
  local lines = { event('failed', key, run, version, r[3], nil, cjson.encode({ error = err })) }
  if rerun then
    call('HDEL', k, unpack(JOB_FIELDS))
    lines[2] = start_rerun(key, rerun, num(r[7], 1), r[8], version)
    return lines
  end
  call('HDEL', k, 'nonce', 'lost', 'pg', 'ra', 'rdy', 'll')
  call('HSET', k, 'st', 'f', 'pr', class)
  call('ZADD', P .. 'dead', int(now), key)
  local excess = call('ZCARD', P .. 'dead') - 10000
  if excess > 0 then call('ZPOPMIN', P .. 'dead', math.min(excess, 10)) end
  if r[11] and r[12] then call('ZADD', P .. 'due', r[12], key) end
  return lines
end

-- Takes a lease away and tells its worker. Until that says that the source has ended, or the lease
-- would have, nobody else may claim the key: two sources of one key must not run side by side.
local function stop_source(key, k, nonce, lease)
  local deadline = math.min(num(call('ZSCORE', P .. 'leased', key), now), now + num(lease, 0))
  unlease(key)
  if not nonce then return end
  if deadline > now then
    call('HSET', k, 'sn', nonce, 'sl', lease)
    call('ZADD', P .. 'stopping', int(deadline), key)
  end
  call('PUBLISH', P .. 'cancel', nonce)
end

-- Ends the key's job as cancelled, wherever it is; its event line. The rerun is untouched.
local function cancel_job(key, k, keep_jobs)
  local r = call('HMGET', k, 'st', 'run', 'v', 'att', 'ls', 'w', 'sc', 'pr', 'nonce', 'at', 'fu', 'ld',
    'll')
  if r[1] == 'r' then
    stop_source(key, k, r[9], r[13])
  else
    r[7] = call('ZSCORE', P .. 'waiting', key) or false
    call('ZREM', P .. 'waiting', key)
    call('ZREM', P .. 'delayed', key)
  end
  keep_job(key, num(r[2], 0), 'cancelled', class_of(r[7], r[8]), r[4], num(r[5], nil), nil, r[6],
    nil, keep_jobs, r[1] ~= 'r' and r[5] and num(r[12], nil))
  call('HDEL', k, 'st', unpack(JOB_FIELDS))
  if r[10] and r[11] then call('ZADD', P .. 'due', r[11], key) end
  return event('cancelled', key, num(r[2], 0), num(r[3], 0))
end
