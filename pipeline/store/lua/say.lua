-- Something is said that answers no message. ARGV: key, token, outbox entry, note that asked for it, milliseconds for
-- which it is not said again
local k, token, entry, note, pause = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if not ours(k, token) then return 'lost' end
local said_at = tonumber(redis.call('HGET', person(k), note .. 'ed') or 0)
redis.call('HDEL', person(k), note)
if said_at + pause > now then return 'said before' end
redis.call('HSET', person(k), note .. 'ed', now)
redis.call('RPUSH', P .. 'outbox:' .. k, entry)
return 'ok'
