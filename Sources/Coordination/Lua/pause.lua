#!lua
-- Stops or resumes claims (RefreshStore.setPaused).
--
-- ARGV  1 to pause, 0 to resume; then the clock.
-- Returns 1. O(1).
if ARGV[1] == '1' then
  call('HSET', KEYS[1], 'paused', '1')
else
  call('HDEL', KEYS[1], 'paused')
  if call('EXISTS', P .. 'wake') == 0 then call('LPUSH', P .. 'wake', '1') end
end
return 1
