-- A turn raised, or its message was begun too often. ARGV: key, token, sid ('' for a turn without a message),
--   1 set aside at once | 0 only after the third time, reason, outbox entry that tells the person ('' when nobody knows where to)
-- Answers 'again' or 'aside'. A message set aside goes, still sealed, to the failed list.
local k, token, sid, at_once, reason, words = unpack(ARGV)
if not ours(k, token) then return { 'lost' } end
local head = redis.call('LINDEX', P .. 'inbox:' .. k, 0) or ''
if sid ~= '' and string.sub(head, 1, #sid + 1) ~= sid .. ' ' then return { 'aside', view(k) } end
if at_once == '0' and redis.call('HINCRBY', person(k), 'raised', 1) < 3 then return { 'again', view(k) } end

redis.call('HDEL', person(k), 'starts', 'raised')
if sid == '' then
  redis.call('HDEL', person(k), 'timer')
else
  local address, sealed = string.match(head, '^%S+ (%S+) (.*)$')
  record_failure(sid, {
    kind = 'inbound', contact = k, address = address, sealed = sealed, reason = reason,
    -- Tells later whether the person has written since.
    last_in = redis.call('HGET', person(k), 'last_in') or '',
    newer = redis.call('LLEN', P .. 'inbox:' .. k) > 1 and 1 or 0,
  })
  redis.call('LPOP', P .. 'inbox:' .. k)
end
if words ~= '' then redis.call('RPUSH', P .. 'outbox:' .. k, words) end
tally('poisoned')
return { 'aside', view(k) }
