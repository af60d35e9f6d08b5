-- Prepended, after the prelude, to the scripts that move jobs between places.

-- Fields of a record that belong to the job under way; cleared when it ends.
local JOB_FIELDS = { 'nonce', 'att', 'lost', 'scope', 'tp', 'pg', 'ra', 'w', 'ls', 'll', 'sc', 'pr',
  'rdy', 'jf', 'ar', 'ap', 'as' }

-- Wakes one worker, when no wake-up is pending already.
local function wake()
  if call('EXISTS', P .. 'wake') == 0 then call('LPUSH', P .. 'wake', '1') end
end

-- Puts a key at the back of its class.
local function place(key, class)
  local seq = call('HINCRBY', KEYS[1], 'seq', 1)
  call('ZADD', P .. 'waiting', int(class * CLASS + seq), key)
  wake()
end

-- Puts a key at its old place in its class, or at the back when it has none.
local function put_back(key, class, score)
  local old = num(score, nil)
  if not old then return place(key, class) end
  call('ZADD', P .. 'waiting', int(class * CLASS + old % CLASS), key)
  wake()
end

-- Writes what can be asked about an ended job, for keep_ms; its member of `ended`.
-- `took`: how long its last attempt took, when that is over already.
-- STRING job:RUN-KEY: state, class, attempt, started, finished, duration, version, worker, error.
local function write_job(key, run, state, class, attempt, started, version, worker, err, keep_ms, took)
  local member = int(run) .. '-' .. key
  local duration = took and int(took) or started and int(math.max(0, now - started)) or ''
  call('SET', P .. 'job:' .. member, table.concat({ state, int(class), attempt or '0',
    started and int(started) or '', NOW, duration, version and int(version) or '',
    worker or '', err or '' }, '\t'), 'PX', int(keep_ms))
  return member
end

-- Notes ended jobs, a list of score and member in turn. Each clears up to two that are past their
-- time or over the cap.
local function note_ended(list, keep_ms)
  call('ZADD', P .. 'ended', unpack(list))
  local excess = call('ZCARD', P .. 'ended') - 100000
  local old = excess > 0 and call('ZRANGE', P .. 'ended', 0, #list - 1)
    or call('ZRANGEBYSCORE', P .. 'ended', '-inf', int(now - keep_ms), 'LIMIT', 0, #list)
  if #old == 0 then return end
  call('ZREM', P .. 'ended', unpack(old))
  for i, member in ipairs(old) do old[i] = P .. 'job:' .. member end
  call('DEL', unpack(old))
end

-- Keeps what can be asked about an ended job; see write_job.
local function keep_job(key, run, state, class, attempt, started, version, worker, err, keep_ms, took)
  if keep_ms <= 0 then return end
  note_ended({ NOW, write_job(key, run, state, class, attempt, started, version, worker, err,
    keep_ms, took) }, keep_ms)
end

-- Class of a waiting score, or of what is noted in the record.
local function class_of(score, noted)
  local s = num(score, nil)
  if s then return math.min(2, math.max(0, math.floor(s / CLASS))) end
  return math.min(2, math.max(0, num(noted, 1)))
end

-- Ends the lease: out of the leased set, lock gone.
local function unlease(key)
  call('ZREM', P .. 'leased', key)
  call('DEL', P .. 'lock:' .. key)
end

-- Lets a key be claimed again whose cancelled source has ended or ran out of time.
local function free(key, k)
  call('HDEL', k, 'sn', 'sl')
  call('ZREM', P .. 'stopping', key)
  if call('ZSCORE', P .. 'waiting', key) then wake() end
end

-- 1 for the next to be claimed; nil when it does not wait.
local function position(key)
  local rank = call('ZRANK', P .. 'waiting', key)
  return rank and rank + 1 or nil
end

-- Makes a noted rerun (run, class, scope) the key's waiting job; its event line.
local function start_rerun(key, run, class, scope, version)
  local k = P .. 'k:' .. key
  call('HSET', k, 'st', 'q', 'run', int(run), 'rdy', NOW)
  if scope and scope ~= '' then call('HSET', k, 'scope', scope) end
  place(key, class)
  return event('queued', key, run, version, position(key))
end

-- The union of two scopes; '' and garbage mean everything, as do more than 100 parts.
local function unite(a, b)
  if not a or not b or a == '' or b == '' then return '' end
  local ok_a, left = pcall(cjson.decode, a)
  local ok_b, right = pcall(cjson.decode, b)
  if not ok_a or not ok_b or type(left) ~= 'table' or type(right) ~= 'table' then return '' end
  local seen, all = {}, {}
  for _, list in ipairs({ left, right }) do
    for _, part in ipairs(list) do
      if not seen[part] then
        seen[part] = true
        all[#all + 1] = part
      end
    end
  end
  if #all == 0 or #all > 100 then return '' end
  table.sort(all)
  return cjson.encode(all)
end

-- Makes up to `limit` delayed and retrying jobs whose time has come claimable; how many.
local function promote(limit)
  local due = call('ZRANGEBYSCORE', P .. 'delayed', '-inf', NOW, 'LIMIT', 0, limit)
  for _, key in ipairs(due) do
    local k = P .. 'k:' .. key
    local noted = call('HMGET', k, 'ra', 'pr', 'sc')
    call('ZREM', P .. 'delayed', key)
    call('HDEL', k, 'ra', 'pr', 'sc')
    call('HSET', k, 'st', 'q', 'rdy', int(math.min(now, num(noted[1], now))))
    put_back(key, class_of(nil, noted[2]), noted[3])
  end
  return #due
end

-- Returns a leased job to its old place (or delays it), its attempt not counted; the event line.
local function return_job(key, k, delay)
  local r = call('HMGET', k, 'run', 'v', 'att', 'sc')
  unlease(key)
  call('HDEL', k, 'nonce', 'pg', 'ls', 'll', 'w')
  call('HSET', k, 'att', int(math.max(0, num(r[3], 1) - 1)))
  local class = class_of(r[4], nil)
  if delay > 0 then
    call('HSET', k, 'st', 'd', 'ra', int(now + delay), 'pr', class)
    call('ZADD', P .. 'delayed', int(now + delay), key)
    wake()
    return event('queued', key, num(r[1], 0), num(r[2], 0), nil, now + delay)
  end
  call('HSET', k, 'st', 'q')
  call('HDEL', k, 'sc')
  put_back(key, class, r[4])
  return event('queued', key, num(r[1], 0), num(r[2], 0), position(key))
end
