#!lua flags=no-writes
-- Everything about up to 100 keys in one view, and for a single key its payload too
-- (RefreshStore.read, statuses, job).
--
-- ARGV  number of keys, the keys, held version (-2: no payload wanted), largest payload bytes to
--       send; then the clock.
-- Returns {now, waiting, leased, capacity, overall average or -1, answer...}; an answer is
--       {{record}, rank or -1, average ms or -1, payload or false, waiting score or false}; rank -2:
--       the job stands in none of the sets, so nothing will come of it before somebody asks.
-- O(log n) per key + bytes.
local PLACES = { q = 'waiting', d = 'delayed', t = 'delayed', r = 'leased' }
local n = tonumber(ARGV[1])
local held, largest = tonumber(ARGV[n + 2]), tonumber(ARGV[n + 3])
local answers = {}
for i = 2, n + 1 do
  local key = ARGV[i]
  local flat = call('HGETALL', P .. 'k:' .. key)
  local st, v, at, sb
  for j = 1, #flat, 2 do
    local f = flat[j]
    if f == 'st' then st = flat[j + 1]
    elseif f == 'v' then v = num(flat[j + 1], 0)
    elseif f == 'at' then at = true
    elseif f == 'sb' then sb = num(flat[j + 1], 0) end
  end
  local payload = false
  if at and held ~= -2 and v ~= held and sb <= largest then payload = call('GET', P .. 'p:' .. key) end
  local place = PLACES[st or '']
  local score = place and call('ZSCORE', P .. place, key)
  answers[#answers + 1] = { flat,
    place and not score and -2 or st == 'q' and call('ZRANK', P .. 'waiting', key) or -1,
    call('HGET', P .. 'stats', resource_of(key) .. ':avg') or -1, payload,
    st == 'q' and score or false }
end
local meta = call('HMGET', KEYS[1], 'capacity', 'avg', 'capacity_until', 'cap')
local capacity = num(meta[1], 0)
if num(meta[3], 0) < now then
  capacity = 0
  for _, line in ipairs(call('HVALS', P .. 'workers')) do
    local c, deadline = string.match(line, '^(%d+) %d+ %d+ (%d+)')
    if c and num(deadline, 0) >= now then capacity = capacity + num(c, 0) end
  end
end
local cap = num(meta[4], -1)
if cap >= 0 then capacity = math.min(capacity, cap) end
return { now, call('ZCARD', P .. 'waiting'), call('ZCARD', P .. 'leased'), int(capacity),
  meta[2] or -1, unpack(answers) }
