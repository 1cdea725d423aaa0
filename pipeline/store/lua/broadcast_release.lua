-- A recipient's message goes from the broadcast to their outbox, if nothing of ours or theirs is waiting there.
-- ARGV: key, token, id, outbox entry ('': nobody knows where to), 1 free text | 0 template
local k, token, b, entry, is_free = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
if not ours(k, token) then return 'lost' end
if redis.call('HGET', person(k), 'broadcast') ~= b then return 'done' end
redis.call('HDEL', person(k), 'broadcast')
if not string.match(row_of(b, k), '^queued') then
  off_hand(b, k)
  return 'done'
end

local state = redis.call('HGET', broadcast(b), 'state')
local last_in = tonumber(redis.call('HGET', person(k), 'last_in') or 0)
if state == 'cancelled' then end_row(b, k, 'skipped', 'cancelled') return 'skipped' end
if redis.call('HEXISTS', P .. 'optouts', k) == 1 then end_row(b, k, 'skipped', 'opted_out') return 'skipped' end
if entry == '' then end_row(b, k, 'skipped', 'erased') return 'skipped' end
if is_free and last_in + WINDOW_MS <= now then end_row(b, k, 'skipped', 'outside_window') return 'skipped' end
if state ~= 'running' or redis.call('EXISTS', P .. 'inbox:' .. k, P .. 'outbox:' .. k) > 0 then
  off_hand(b, k)
  redis.call('RPUSH', P .. 'broadcast_queue:' .. b, k)
  return 'later'
end
local decoded = cjson.decode(entry)
decoded.ref = table.concat({ k, b, string.match(row_of(b, k), '(%d+)$') }, '-')
set_row(b, k, 'released', 0)
redis.call('RPUSH', P .. 'outbox:' .. k, cjson.encode(decoded))
return 'released'
