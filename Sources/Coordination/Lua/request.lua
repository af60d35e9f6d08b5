#!lua
-- Queues a refresh for each of up to 100 keys, or joins the one under way (RefreshStore.request,
-- requestMany, expire).
--
-- ARGV  11 per key: key, origin (a ask, r read, m monitor, s schedule), class 0..2, delay ms,
--       force 0|1, scope JSON or '', seen version or -1, cool-down ms, maximum waiting,
--       traceparent or '', expire 0|1; then the clock.
-- Returns {now, waiting, leased, answer...}; an answer is {'full'}, {'unneeded', version},
--       {'cooling', run, error}, {'broken', error} or {status, run, state, class, rank or -1,
--       run_at or 0, attempt, running since or 0, rerun 0|1, progress JSON or ''}. No averages:
--       a call less for each, they change slowly.
-- O(log n) per key. Keeps: a key stands in one place only; no job is lost, none doubled.
local lines, answers = {}, {}
local waiting = call('ZCARD', P .. 'waiting')

-- Somebody holds a version that the record does not know: these data are younger than it. The next
-- publication goes on from there.
local function remember(k, version, seen)
  if seen > version and seen > num(call('HGET', k, 'vf'), 0) then call('HSET', k, 'vf', int(seen)) end
end

-- The fields of a record by name.
local function fetch(k, ...)
  local got, r = call('HMGET', k, ...), {}
  for i = 1, select('#', ...) do r[select(i, ...)] = got[i] or nil end
  return r
end

local function rank_of(key)
  return call('ZRANK', P .. 'waiting', key) or -1
end

local function new_job(key, k, r, class, delay, scope, tp, version)
  local run = math.max(num(r.run, 0) + 1, num(r.fr, 0) + 1, now_us)
  local set = { 'st', delay > 0 and 'd' or 'q', 'run', int(run) }
  if scope ~= '' then set[#set + 1] = 'scope'; set[#set + 1] = scope end
  if tp ~= '' then set[#set + 1] = 'tp'; set[#set + 1] = tp end
  if delay > 0 then
    set[#set + 1] = 'ra'; set[#set + 1] = int(now + delay)
    set[#set + 1] = 'pr'; set[#set + 1] = int(class)
  end
  if r.st == 'f' then
    call('ZREM', P .. 'dead', key)
    call('HDEL', k, unpack(JOB_FIELDS))
  end
  call('HSET', k, unpack(set))
  if delay == 0 then waiting = waiting + 1 end
  if r.at then call('ZREM', P .. 'due', key) elseif r.run then call('PERSIST', k) end
  if delay > 0 then
    call('ZADD', P .. 'delayed', int(now + delay), key)
    wake()
  else
    place(key, class)
  end
  local rank = delay > 0 and -1 or rank_of(key)
  lines[#lines + 1] = event('queued', key, run, version, rank >= 0 and rank + 1 or nil,
    delay > 0 and now + delay)
  return { 'started', int(run), delay > 0 and 'd' or 'q', class, rank,
    delay > 0 and int(now + delay) or 0, 0, 0, 0 }
end

local function join_waiting(key, k, class, scope, version)
  local r = fetch(k, 'run', 'scope', 'att', 'pr')
  local score = call('ZSCORE', P .. 'waiting', key)
  local current = class_of(score, r.pr)
  if not score then
    place(key, math.min(class, current))
    current = math.min(class, current)
  elseif class < current then
    call('ZADD', P .. 'waiting', int(class * CLASS + num(score, 0) % CLASS), key)
    current = class
    lines[#lines + 1] = event('queued', key, num(r.run, 0), version, position(key))
  end
  local united = unite(r.scope, scope)
  if united ~= (r.scope or '') then
    if united == '' then call('HDEL', k, 'scope') else call('HSET', k, 'scope', united) end
  end
  return { 'queued', int(num(r.run, 0)), 'q', current, rank_of(key), 0, num(r.att, 0), 0, 0 }
end

local function join_delayed(key, k, origin, class, delay, scope, version)
  local r = fetch(k, 'st', 'run', 'scope', 'att', 'pr', 'ra', 'sc')
  local at = num(r.ra, now)
  -- A half-state: the record waits for its time, the set does not know it.
  if not call('ZSCORE', P .. 'delayed', key) then call('ZADD', P .. 'delayed', int(at), key) end
  class = math.min(class, class_of(nil, r.pr))
  local united = unite(r.scope, scope)
  if united ~= (r.scope or '') then
    if united == '' then call('HDEL', k, 'scope') else call('HSET', k, 'scope', united) end
  end
  local run = num(r.run, 0)
  if origin == 'a' and delay == 0 then
    call('ZREM', P .. 'delayed', key)
    call('HDEL', k, 'ra', 'pr', 'sc')
    call('HSET', k, 'st', 'q', 'rdy', NOW)
    put_back(key, class, r.sc)
    waiting = waiting + 1
    local rank = rank_of(key)
    lines[#lines + 1] = event('queued', key, run, version, rank >= 0 and rank + 1 or nil)
    return { 'queued', int(run), 'q', class, rank, 0, num(r.att, 0), 0, 0 }
  end
  local changed = class ~= class_of(nil, r.pr)
  if origin == 'a' and now + delay < at then
    at = now + delay
    changed = true
    call('ZADD', P .. 'delayed', int(at), key)
    wake()
  end
  if changed then
    call('HSET', k, 'ra', int(at), 'pr', int(class))
    -- `queued` for a retrying job too: `retrying` tells that an attempt failed, and none did.
    lines[#lines + 1] = event('queued', key, run, version, nil, at)
  end
  return { 'queued', int(run), r.st, class, -1, int(at), num(r.att, 0), 0, 0 }
end

local function join_running(key, k, class, force, scope)
  local r = fetch(k, 'run', 'ls', 'sc', 'pr', 'att', 'ar', 'ap', 'as', 'pg', 'fr')
  local since = int(num(r.ls, now))
  -- A half-state: leased by its record alone. The reaper takes it from here.
  if not call('ZSCORE', P .. 'leased', key) then call('ZADD', P .. 'leased', NOW, key) end
  if not force then
    return { 'running', int(num(r.run, 0)), 'r', class_of(r.sc, r.pr), -1, 0, num(r.att, 1), since, 0,
      r.pg or '' }
  end
  local rerun = num(r.ar, nil)
  if rerun then
    class = math.min(class, num(r.ap, 1))
    scope = unite(r['as'], scope)
  else
    rerun = math.max(num(r.run, 0) + 1, num(r.fr, 0) + 1, now_us)
  end
  call('HSET', k, 'ar', int(rerun), 'ap', int(class), 'as', scope)
  return { 'queued', int(rerun), 'q', class, -1, 0, 0, since, 1, r.pg or '' }
end

local function request(key, origin, class, delay, force, scope, seen, cool, maximum, tp, expire)
  local k = P .. 'k:' .. key
  local got = call('HMGET', k, 'st', 'run', 'v', 'at', 'fr')
  local r = { st = got[1], run = got[2], at = got[4], fr = got[5] }
  local version = num(got[3], 0)
  local is_new = not r.st or r.st == 'f'
  -- Marked stale and asked for together, or neither.
  if expire and is_new and waiting >= maximum then return { 'full' } end
  if expire and r.at and num(call('HGET', k, 'ku'), now + 1) > now then
    call('HSET', k, 'fu', NOW)
    if is_new then call('ZADD', P .. 'due', NOW, key) end
    lines[#lines + 1] = event('expired', key, nil, version)
  end
  if r.st and r.st ~= 'f' then remember(k, version, seen) end
  if r.st == 'q' then return join_waiting(key, k, class, scope, version) end
  if r.st == 'd' or r.st == 't' then
    return join_delayed(key, k, origin, class, delay, scope, version)
  end
  if r.st == 'r' then return join_running(key, k, class, force, scope) end
  if origin == 'r' or origin == 'm' then
    if seen >= 0 and version > seen and r.at
      and num(call('HGET', k, 'ku'), now + 1) > now then return { 'unneeded', int(version) } end
    if r.st == 'f' then
      local last = fetch(k, 'le', 'err')
      if now - num(last.le, 0) < cool then
        return { 'cooling', int(num(r.run, 1)), last.err or '' }
      end
    end
  end
  if waiting >= maximum then return { 'full' } end
  remember(k, version, seen)
  return new_job(key, k, r, class, delay, scope, tp, version)
end

for i = 1, #ARGV - 11, 11 do
  -- What stands under a key may be of a foreign type: that is its request's failure alone.
  local ok, answer = pcall(request, ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]),
    tonumber(ARGV[i + 3]), ARGV[i + 4] == '1', ARGV[i + 5], tonumber(ARGV[i + 6]),
    tonumber(ARGV[i + 7]), tonumber(ARGV[i + 8]), ARGV[i + 9], ARGV[i + 10] == '1')
  answers[#answers + 1] = ok and answer or broken(answer)
end
emit(lines)
return { now, waiting, call('ZCARD', P .. 'leased'), unpack(answers) }
