-- The lock is given back. ARGV: key, token, 1 whatever waits | 0 only when the inbox is empty
local k, token, anyway = ARGV[1], ARGV[2], ARGV[3] == '1'
if not ours(k, token) then return { 'lost' } end
if not anyway and redis.call('EXISTS', P .. 'inbox:' .. k) == 1 then return { 'more', view(k) } end
redis.call('DEL', P .. 'lock:' .. k)
if redis.call('EXISTS', P .. 'inbox:' .. k, P .. 'outbox:' .. k) == 0 then redis.call('ZREM', P .. 'waiting', k) end
local at = next_due(k)
if at then due_at(k, at) else redis.call('ZREM', P .. 'due', k) end
return { 'released', (at and at <= now) and 1 or 0 }
