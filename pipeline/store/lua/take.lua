-- A worker wants to talk with a person. ARGV: key of the person or of an address, token, milliseconds the lock lives,
--   1 also when there is nothing to do now | 0
local k = redis.call('GET', P .. 'alias:' .. ARGV[1]) or ARGV[1]
local token, life = ARGV[2], tonumber(ARGV[3])
local lock = P .. 'lock:' .. k
local holder = redis.call('GET', lock)

if holder and holder ~= token then
  -- Whoever holds it may be dead: look again when the lock has run out.
  redis.call('ZADD', P .. 'due', 'XX', now + redis.call('PTTL', lock) + 100, k)
  return { 'busy' }
end
local at = next_due(k)
if ARGV[4] == '0' and not at then
  redis.call('ZREM', P .. 'due', k)
  redis.call('ZREM', P .. 'waiting', k)
  return { 'idle' }
end
if ARGV[4] == '0' and at > now then
  due_at(k, at)
  return { 'early' }
end
redis.call('SET', lock, token, 'PX', life)
due_at(k, now + life + 500)

-- A message that Twilio took and then failed to deliver goes out once more, unless something newer was said since.
local again = redis.call('HMGET', person(k), 'resend', 'resend_at')
if again[1] and tonumber(again[2]) <= now then
  redis.call('HDEL', person(k), 'resend', 'resend_at')
  local last = redis.call('GET', P .. 'last:' .. k)
  local quiet = redis.call('EXISTS', P .. 'inbox:' .. k, P .. 'outbox:' .. k) == 0
  if last and quiet and reference_of(last) == again[1] then
    local entry = cjson.decode(last)
    entry.ref = entry.ref .. '-again'
    redis.call('RPUSH', P .. 'outbox:' .. k, cjson.encode(entry))
    tally('resent')
  end
end
return { 'taken', view(k) }
