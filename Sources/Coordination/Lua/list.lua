#!lua flags=no-writes
-- One page of a partition's keys or jobs (RefreshStore.keys, jobs).
--
-- ARGV  what (index, waiting, delayed, leased, dead, ended), after score or '', after member or '',
--       limit 1..1001; then the clock.
-- Returns of index {member...}; of ended {member, score, record or false...}; of the others
--       {member, score, state, 1 when it has a payload, its rerun's run or ''...}. `ended` and
--       `dead` latest first.
-- O(log n + limit).
local what, score, member, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if what == 'index' then
  local from = member == '' and '-' or '(' .. member
  return call('ZRANGEBYLEX', P .. 'index', from, '+', 'LIMIT', 0, limit)
end
local latest_first = what == 'ended' or what == 'dead'
local range = latest_first and 'ZREVRANGE' or 'ZRANGE'

-- The rank after the last element of the page before. When that has gone since, the ties of its
-- score are looked through, at most 20,000.
local function start()
  if member == '' then return 0 end
  if call('ZSCORE', P .. what, member) == score then
    return call(latest_first and 'ZREVRANK' or 'ZRANK', P .. what, member) + 1
  end
  local rank = latest_first and call('ZCOUNT', P .. what, '(' .. score, '+inf')
    or call('ZCOUNT', P .. what, '-inf', '(' .. score)
  for _ = 1, 20 do
    local ties = call(range, P .. what, rank, rank + 999, 'WITHSCORES')
    for i = 1, #ties, 2 do
      local beyond = latest_first and ties[i] < member or not latest_first and ties[i] > member
      if ties[i + 1] ~= score or beyond then return rank + (i - 1) / 2 end
    end
    if #ties < 2000 then return rank + #ties / 2 end
    rank = rank + 1000
  end
  return rank
end

local found = {}
local first = start()
local page = call(range, P .. what, first, first + limit - 1, 'WITHSCORES')
for i = 1, #page, 2 do
  found[#found + 1] = page[i]
  found[#found + 1] = page[i + 1]
  if what == 'ended' then
    found[#found + 1] = call('GET', P .. 'job:' .. page[i])
  else
    local r = call('HMGET', P .. 'k:' .. page[i], 'st', 'at', 'ar')
    found[#found + 1] = r[1] or ''
    found[#found + 1] = r[2] and '1' or '0'
    found[#found + 1] = r[3] or ''
  end
end
return found
