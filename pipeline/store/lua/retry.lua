-- What went wrong is tried once more. ARGV: key, token, id. Under the person's lock, for only its holder writes outboxes.
-- Answers: ok | gone (no such failure) | textless (nothing is left to send) | stale (the person has written since)
local k, token, id = ARGV[1], ARGV[2], ARGV[3]
if not ours(k, token) then return 'lost' end
local stored = redis.call('HGET', P .. 'failed', id)
if not stored then return 'gone' end
local record = cjson.decode(stored)
if not record.sealed then return 'textless' end
if record.kind == 'inbound' then
  if record.newer == 1 or redis.call('HGET', person(k), 'last_in') ~= record.last_in then return 'stale' end
  redis.call('LPUSH', P .. 'inbox:' .. k, id .. ' ' .. record.address .. ' ' .. record.sealed)
else
  local entry = { ref = id .. '-retry', at = now, body = record.sealed }
  redis.call('RPUSH', P .. 'outbox:' .. k, cjson.encode(entry))
end
redis.call('HDEL', P .. 'failed', id)
redis.call('ZREM', P .. 'failed_at', id)
return 'ok'
