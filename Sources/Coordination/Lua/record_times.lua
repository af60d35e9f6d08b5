#!lua
-- Adds to the times of all workers (RefreshStore.recordTimes).
--
-- ARGV  pairs of RESOURCE:STAGE:BOUND and a count, BOUND `inf` above the last, and of
--       RESOURCE:STAGE:sum and microseconds; then the clock.
-- Returns 1. O(pairs).
for i = 1, #ARGV - 2, 2 do
  call('HINCRBY', P .. 'times', ARGV[i], ARGV[i + 1])
end
return 1
