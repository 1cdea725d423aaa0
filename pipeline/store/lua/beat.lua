-- A process is alive. ARGV: worker | clock, name of the process, 1 it ends | 0
local key = P .. 'alive:' .. ARGV[1]
if ARGV[3] == '1' then return redis.call('ZREM', key, ARGV[2]) end
redis.call('ZADD', key, now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - 60000)
return 1
