-- Everything about a person goes, but that they opted out; the receipt is still to be said.
-- ARGV: key, token, sid of the message that asked for it ('': an operator did), outbox entry ('': nothing is said),
--   line of the audit list
local k, token, sid, entry, audit_line = unpack(ARGV)
if not ours(k, token) then return { 'lost' } end
local head = redis.call('LINDEX', P .. 'inbox:' .. k, 0) or ''
if sid ~= '' and string.sub(head, 1, #sid + 1) ~= sid .. ' ' then return { 'done', view(k) } end

for alias in string.gmatch(redis.call('HGET', person(k), 'addresses') or '', '%S+') do
  redis.call('DEL', P .. 'alias:' .. alias)
end
local step = redis.call('HGET', person(k), 'step')
if step then redis.call('ZREM', P .. 'people:' .. step, k) redis.call('ZREM', P .. 'live:' .. step, k) end
redis.call('ZREM', P .. 'support', k)
local failed = redis.call('HGETALL', P .. 'failed')
for i = 1, #failed, 2 do
  if cjson.decode(failed[i + 1]).contact == k then
    redis.call('HDEL', P .. 'failed', failed[i])
    redis.call('ZREM', P .. 'failed_at', failed[i])
  end
end
for _, b in ipairs(redis.call('ZRANGE', P .. 'broadcasts', 0, -1)) do
  local row = row_of(b, k)
  if row ~= '' then
    if string.match(row, '^queued') or string.match(row, '^released') then
      redis.call('LREM', P .. 'broadcast_queue:' .. b, 0, k)
      redis.call('ZREM', P .. 'broadcast_in_hand', b .. ' ' .. k)
      end_row(b, k, 'skipped', 'erased')
    end
    redis.call('HDEL', P .. 'broadcast_rows:' .. b, k)
  end
end
redis.call('DEL', person(k), P .. 'session:' .. k, P .. 'contact:' .. k, P .. 'outbox:' .. k, P .. 'status:' .. k,
  P .. 'last:' .. k)
if sid ~= '' then redis.call('LPOP', P .. 'inbox:' .. k) else redis.call('DEL', P .. 'inbox:' .. k) end
if entry ~= '' then
  redis.call('RPUSH', P .. 'outbox:' .. k, entry)
  redis.call('HSET', person(k), 'erased', 1, 'last_in', now)
  redis.call('EXPIRE', person(k), 86400)
end
-- Earlier lines about the person stay, without saying about whom.
for i, line in ipairs(redis.call('LRANGE', P .. 'audit', 0, -1)) do
  if string.find(line, k, 1, true) then
    redis.call('LSET', P .. 'audit', i - 1, (string.gsub(line, k, 'erased')))
  end
end
redis.call('LPUSH', P .. 'audit', audit_line)
tally('erased')
return { 'ok', view(k) }
