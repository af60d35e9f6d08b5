#!lua flags=no-writes
-- One page of a partition's keys or jobs (RefreshStore.keys, jobs).
--
-- ARGV  what (index, waiting, delayed, leased, dead, ended), after score or '', after member or '',
--       limit 1..1001; then the clock.
-- Returns of index {member...}; of ended {member, score, record or false...}; of the others
--       {member, score, state, 1 when it has a payload...}. `ended` and `dead` latest first.
-- O(log n + limit).
local what, score, member, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if what == 'index' then
  local from = member == '' and '-' or '(' .. member
  return call('ZRANGEBYLEX', P .. 'index', from, '+', 'LIMIT', 0, limit)
end
local found = {}
if what == 'ended' then
  local from = score == '' and '+inf' or score
  local page = call('ZREVRANGEBYSCORE', P .. 'ended', from, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 200)
  for i = 1, #page, 2 do
    if score == '' or page[i + 1] ~= score or page[i] < member then
      found[#found + 1] = page[i]
      found[#found + 1] = page[i + 1]
      found[#found + 1] = call('GET', P .. 'job:' .. page[i])
      if #found >= limit * 3 then break end
    end
  end
  return found
end
local latest_first = what == 'dead'
local page = latest_first
  and call('ZREVRANGEBYSCORE', P .. what, score == '' and '+inf' or score, '-inf', 'WITHSCORES',
    'LIMIT', 0, limit + 200)
  or call('ZRANGEBYSCORE', P .. what, score == '' and '-inf' or score, '+inf', 'WITHSCORES',
    'LIMIT', 0, limit + 200)
for i = 1, #page, 2 do
  local beyond = latest_first and page[i] < member or not latest_first and page[i] > member
  if score == '' or page[i + 1] ~= score or beyond then
    local r = call('HMGET', P .. 'k:' .. page[i], 'st', 'at')
    found[#found + 1] = page[i]
    found[#found + 1] = page[i + 1]
    found[#found + 1] = r[1] or ''
    found[#found + 1] = r[2] and '1' or '0'
    if #found >= limit * 4 then break end
  end
end
return found
