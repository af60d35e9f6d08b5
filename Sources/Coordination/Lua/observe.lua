#!lua flags=no-writes
-- Times of workers, and how stale the partition's stalest keys are (RefreshStore.observe).
--
-- ARGV  active window ms (0: all keys); then the clock.
-- Returns {{field, value...} of times, {RESOURCE, ms...}}.
-- O(log n), however many keys there are: the 200 first of `due` are looked at. What is in there has no
-- job. Its record knows since when it is stale; the score may be a later try.
local window = tonumber(ARGV[1])
local stale, order = {}, {}
local head = call('ZRANGEBYSCORE', P .. 'due', '-inf', int(now), 'LIMIT', 0, 200)
for _, key in ipairs(head) do
  local resource = resource_of(key)
  local r = call('HMGET', P .. 'k:' .. key, 'fu', 'at')
  local since = r[2] and num(r[1], now) or now
  local read = window > 0 and num(call('ZSCORE', P .. 'read:' .. resource, key), 0) or now
  if since < now and now - read <= math.max(window, 0) then
    if not stale[resource] then order[#order + 1] = resource end
    stale[resource] = math.max(stale[resource] or 0, now - since)
  end
end
local flat = {}
for _, resource in ipairs(order) do
  flat[#flat + 1] = resource
  flat[#flat + 1] = int(stale[resource])
end
return { call('HGETALL', P .. 'times'), flat }
