-- May an alarm be said? Then it counts as said. ARGV: kind, milliseconds of now, milliseconds for which it is not said again
local said_at = tonumber(redis.call('HGET', P .. 'alarms', ARGV[1]) or nil)
if said_at and said_at + tonumber(ARGV[3]) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', P .. 'alarms', ARGV[1], ARGV[2])
return 1
