-- Everything about a person goes, but that they opted out; the receipt is still to be said.
-- ARGV: key, token, sid of the message that asked for it ('': an operator did), outbox entry ('': nothing is said),
--   line of the audit list
local k, token, sid, entry, audit_line = unpack(ARGV)
if not ours(k, token) then return { 'lost' } end
local head = redis.call('LINDEX', P .. 'inbox:' .. k, 0) or ''
if sid ~= '' and string.sub(head, 1, #sid + 1) ~= sid .. ' ' then return { 'done', view(k) } end

-- Whoever was once known apart under another address may have left traces there.
local known_as = { [k] = true }
for alias in string.gmatch(redis.call('HGET', person(k), 'addresses') or '', '%S+') do
  known_as[alias] = true
  redis.call('DEL', P .. 'alias:' .. alias)
end
local failed = redis.call('HGETALL', P .. 'failed')
for i = 1, #failed, 2 do
  if known_as[cjson.decode(failed[i + 1]).contact] then
    redis.call('HDEL', P .. 'failed', failed[i])
    redis.call('ZREM', P .. 'failed_at', failed[i])
  end
end

local function erase_rows(one)
  for _, b in ipairs(redis.call('ZRANGE', P .. 'broadcasts', 0, -1)) do
    local row = row_of(b, one)
    if string.match(row, '^queued') or string.match(row, '^released') then
      redis.call('LREM', P .. 'broadcast_queue:' .. b, 0, one)
      redis.call('ZREM', P .. 'broadcast_in_hand', b .. ' ' .. one)
      end_row(b, one, 'skipped', 'erased')
    end
    redis.call('HDEL', P .. 'broadcast_rows:' .. b, one)
  end
end

-- Which messages of the last minutes were ours must stay known: one of the same words may be in doubt soon.
redis.call('ZREMRANGEBYSCORE', P .. 'erased_sids', '-inf', now - 120000)
for _, status in ipairs(redis.call('HVALS', P .. 'status:' .. k)) do
  local sid_of, at = string.match(status, '^%d+ %S+ (%S+) %S+ (%d+)$')
  if sid_of and tonumber(at) > now - 120000 then redis.call('ZADD', P .. 'erased_sids', now, sid_of) end
end
redis.call('EXPIRE', P .. 'erased_sids', 120)
for one in pairs(known_as) do
  erase_rows(one)
  forget(one)
  redis.call('DEL', P .. 'outbox:' .. one, P .. 'status:' .. one)
end
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
