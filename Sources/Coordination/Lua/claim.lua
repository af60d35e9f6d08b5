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

local claims, lines, leased, held = {}, {}, {}, {}

local function grant(key, score, nonce)
  local k = P .. 'k:' .. key
  local flat, r = call('HGETALL', k), {}
  for j = 1, #flat, 2 do r[flat[j]] = flat[j + 1] end
  -- A key that is leased already stays where it is: the waiting entry was a half-state.
  if r.st == 'r' and call('ZSCORE', P .. 'leased', key) then return end
  if r.sn then
    if num(call('ZSCORE', P .. 'stopping', key), 0) > now then
      held[#held + 1] = score
      held[#held + 1] = key
      return
    end
    free(key, k)
  end
  local fresh = r.st == 'q' and r.run
  local run = fresh and num(r.run, now_us) or math.max(num(r.run, 0) + 1, now_us)
  local version = num(r.v, 0)
  local fence = math.max(num(r.fence, 0) + 1, version + 1, now_us)
  local attempt = (fresh and num(r.att, 0) or 0) + 1
  local lease = leases[resource_of(key)] or default_lease
  local run_text, fence_text = int(run), int(fence)
  call('HSET', k, 'st', 'r', 'run', run_text, 'fence', fence_text, 'nonce', nonce,
    'att', attempt, 'ls', NOW, 'll', lease, 'w', worker, 'sc', score)
  call('SET', P .. 'lock:' .. key, fence_text .. ':' .. nonce, 'PX', lease)
  leased[#leased + 1] = int(now + lease)
  leased[#leased + 1] = key
  lines[#lines + 1] = event('running', key, run, version, attempt)
  claims[#claims + 1] = { key, run_text, fence_text, nonce, attempt, lease, score, flat }
end

local wanted, tried = paused and 0 or limit, 0
while wanted > 0 do
  local popped, held_before = call('ZPOPMIN', P .. 'waiting', wanted), #held
  -- What stands under a key may be of a foreign type: nobody can work on that one, and the others
  -- are not lost with it.
  for i = 1, #popped, 2 do
    tried = tried + 1
    local ok, err = pcall(grant, popped[i], popped[i + 1], seed .. '-' .. tried)
    if not ok then
      -- What a right is missing for still waits.
      call('ZADD', P .. 'waiting', popped[i + 1], popped[i])
      demand_rights(err)
      call('ZREM', P .. 'waiting', popped[i])
    end
  end
  -- Behind those passed over there may be others; at most 100 are.
  wanted = #held > held_before and #held < 200 and limit - #claims or 0
end

if #held > 0 then call('ZADD', P .. 'waiting', unpack(held)) end
if #leased > 0 then call('ZADD', P .. 'leased', unpack(leased)) end
local waiting = call('ZCARD', P .. 'waiting')
if waiting > 0 and not paused and #claims > 0 then wake() end
local head = call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')
local due = head[2] and math.max(0, num(head[2], now) - now) or -1
emit(lines)
return { now, waiting, int(due), paused and 1 or 0, unpack(claims) }
