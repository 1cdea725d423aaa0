-- The lock is given back. ARGV: key, token, 1 whatever waits | 0 only when no message is due,
--   1 only when the outbox is empty, too | 0
local k, token, anyway = ARGV[1], ARGV[2], ARGV[3] == '1'
if not ours(k, token) then return { 'lost' } end
if ARGV[4] == '1' and redis.call('EXISTS', P .. 'outbox:' .. k) == 1 then return { 'unsaid' } end
local at = next_due(k)
if not anyway and at and at <= now and redis.call('EXISTS', P .. 'inbox:' .. k) == 1 then return { 'more', view(k) } end
redis.call('DEL', P .. 'lock:' .. k)
if redis.call('EXISTS', P .. 'inbox:' .. k, P .. 'outbox:' .. k) == 0 then redis.call('ZREM', P .. 'waiting', k) end
if at then due_at(k, at) else redis.call('ZREM', P .. 'due', k) end
return { 'released', (at and at <= now) and 1 or 0 }
