#!lua
-- Moves waiting jobs to the leased set and grants their leases (RefreshStore.claim).
--
-- ARGV  worker, limit 1..100, lease ms, maximum leased or -1, nonce seed,
--       then RESOURCE, LEASE ms pairs for the resources that differ; then the clock.
-- Returns {now, waiting, ms until the next delayed job or -1, paused 0|1, claim...};
--       a claim is {key, run, fence, nonce, attempt, lease ms, score, {record}}.
-- O(limit · log n). Keeps: one live lease per key; fences grow; a key whose cancelled source may
-- still run keeps its place and is passed over.
local worker, limit, default_lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local maximum, seed = tonumber(ARGV[4]), ARGV[5]
local leases = {}
for i = 6, #ARGV - 1, 2 do leases[ARGV[i]] = tonumber(ARGV[i + 1]) end

promote(100)
local meta = call('HMGET', KEYS[1], 'paused', 'cap')
local paused = meta[1] == '1'
-- Estimates count with the cap too.
if (num(meta[2], -1)) ~= maximum then call('HSET', KEYS[1], 'cap', int(maximum)) end
-- A cancelled source that has not ended runs still.
if maximum >= 0 then
  limit = math.min(limit, maximum - call('ZCARD', P .. 'leased') - call('ZCARD', P .. 'stopping'))
end

local claims, lines, held = {}, {}, {}
local wanted = paused and 0 or limit
while wanted > 0 do
  local popped, held_before = call('ZPOPMIN', P .. 'waiting', wanted), #held
  for i = 1, #popped, 2 do
    local key, score = popped[i], popped[i + 1]
    local k = P .. 'k:' .. key
    local flat, r = call('HGETALL', k), {}
    for j = 1, #flat, 2 do r[flat[j]] = flat[j + 1] end
    if r.sn and num(call('ZSCORE', P .. 'stopping', key), 0) > now then
      held[#held + 1] = score
      held[#held + 1] = key
    -- A key that is leased already stays where it is: the waiting entry was a half-state.
    elseif r.st ~= 'r' or not call('ZSCORE', P .. 'leased', key) then
      if r.sn then free(key, k) end
      local fresh = r.st == 'q' and r.run
      local run = fresh and num(r.run, now_us) or math.max(num(r.run, 0) + 1, now_us)
      local version = num(r.v, 0)
      local fence = math.max(num(r.fence, 0) + 1, version + 1, now_us)
      local attempt = (fresh and num(r.att, 0) or 0) + 1
      local lease = leases[resource_of(key)] or default_lease
      local nonce = seed .. '-' .. #claims
      call('HSET', k, 'st', 'r', 'run', int(run), 'fence', int(fence), 'nonce', nonce,
        'att', attempt, 'ls', int(now), 'll', int(lease), 'w', worker, 'sc', score)
      call('SET', P .. 'lock:' .. key, int(fence) .. ':' .. nonce, 'PX', int(lease))
      call('ZADD', P .. 'leased', int(now + lease), key)
      lines[#lines + 1] = event('running', key, run, version, attempt)
      claims[#claims + 1] = { key, int(run), int(fence), nonce, attempt, int(lease), score, flat }
    end
  end
  -- Behind those passed over there may be others; at most 100 are.
  wanted = #held > held_before and #held < 200 and limit - #claims or 0
end
if #held > 0 then call('ZADD', P .. 'waiting', unpack(held)) end

local waiting = call('ZCARD', P .. 'waiting')
if waiting > 0 and not paused and #claims > 0 then wake() end
local head = call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')
local due = head[2] and math.max(0, num(head[2], now) - now) or -1
emit(lines)
return { now, waiting, int(due), paused and 1 or 0, unpack(claims) }
