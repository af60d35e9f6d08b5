-- Prepended to every script, after its `#!lua` line.
--
-- KEYS[1]       the partition's `meta` hash. Every key a script touches begins with the prefix of
--               KEYS[1], `{NAMESPACE:P}:`, and so stands in the same hash slot.
-- ARGV[#ARGV]   milliseconds of a test's clock; 0: Redis' own clock.
-- Times are milliseconds, runs and fences microseconds of Redis' clock; both are exact in a double.
local P = string.sub(KEYS[1], 1, -5)
local call = redis.call
local now_us = tonumber(ARGV[#ARGV]) * 1000
if now_us == 0 then
  local t = call('TIME')
  now_us = t[1] * 1000000 + t[2]
end
local now = math.floor(now_us / 1000)

-- Waiting score = class * CLASS + sequence.
local CLASS = 17592186044416

-- Decimal digits of a whole number; Lua's own conversion switches to exponents at 1e14.
local function int(n) return string.format('%.0f', n) end

-- `now` as text. Formatting costs as much as a short command, and every script writes this one often.
local NOW = int(now)

-- A number read back from Redis; anything else, garbage too, becomes `default`.
local function num(value, default)
  local n = value and tonumber(value)
  if n and n == n and n > -9e15 and n < 9e15 then return n end
  return default
end

-- Ends the script when what pcall caught is a right that the caller lacks: that is no key's fault.
local function demand_rights(err)
  local text = type(err) == 'table' and err.err or tostring(err)
  if string.find(text, 'user executing the script', 1, true) then error(err) end
end

-- The answer about a key that a script could not go on with: what pcall caught.
local function broken(err)
  demand_rights(err)
  return { 'broken', type(err) == 'table' and err.err or tostring(err) }
end

-- The resource of a key: its text before `?`.
local function resource_of(key) return string.match(key, '^[^?]*') end

-- One line of the event log: type, key, run, version, attempt (of `queued` position), run_at, JSON
-- of the rest.
local function event(kind, key, run, version, attempt, run_at, rest)
  return table.concat({ kind, key, run and int(run) or '', int(version), attempt or '',
    run_at and int(run_at) or '', rest or '' }, '\t')
end

-- Appends the lines as one entry to the log and announces it. The entry's id is EPOCH-SEQUENCE: the
-- epoch is the time the log began, the sequence grows by one, so a reader sees gaps.
local function emit(lines)
  if #lines == 0 then return end
  local epoch = call('HGET', KEYS[1], 'epoch')
  local sequence = '-*'
  if not epoch then
    sequence = '-1'
    local last = call('XREVRANGE', P .. 'events', '+', '-', 'COUNT', 1)[1]
    local floor = last and num(string.match(last[1], '^%d+'), 0) + 1 or 0
    epoch = int(math.max(now, floor))
    call('HSET', KEYS[1], 'epoch', epoch)
  end
  local body = NOW .. '\n' .. table.concat(lines, '\n')
  local id = call('XADD', P .. 'events', 'MAXLEN', '~', 10000, epoch .. sequence, 'e', body)
  call('PUBLISH', P .. 'events', id .. '\n' .. body)
end
