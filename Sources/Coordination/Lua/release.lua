#!lua
-- Lets a key be claimed again once its cancelled source has ended (RefreshStore.release).
--
-- ARGV  key, nonce; then the clock.
-- Returns 1 when that claim held the key, else 0. O(log n). Keeps: only the claim that holds frees.
local k = P .. 'k:' .. ARGV[1]
if call('HGET', k, 'sn') ~= ARGV[2] then return 0 end
free(ARGV[1], k)
return 1
