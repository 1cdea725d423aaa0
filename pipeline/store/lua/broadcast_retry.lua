-- Recipients whose message failed for a passing reason are put back. ARGV: id, keys …
-- Whoever cancelled a broadcast wants no more of it; one that is paused stays so.
local b, added = ARGV[1], 0
local state = redis.call('HGET', broadcast(b), 'state')
if not state or state == 'cancelled' then return 0 end
for i = 2, #ARGV do
  local row = row_of(b, ARGV[i])
  if string.match(row, '^failed ') then
    -- A new generation makes a new reference: the old one is known to Twilio.
    local generation = tonumber(string.match(row, '(%d+)$')) + 1
    redis.call('HSET', P .. 'broadcast_rows:' .. b, ARGV[i], string.format('queued 0 %d %d', now, generation))
    redis.call('RPUSH', P .. 'broadcast_queue:' .. b, ARGV[i])
    added = added + 1
  end
end
if added > 0 then
  count(b, 'failed', -added)
  count(b, 'open', added)
end
if added > 0 and state == 'done' then
  redis.call('HDEL', broadcast(b), 'finished_at', 'reason')
  redis.call('DEL', P .. 'broadcast_recent:' .. b)
  redis.call('HSET', broadcast(b), 'state', 'running')
  redis.call('ZADD', P .. 'broadcasts_open', now, b)
  for _, key in ipairs({ 'broadcast:', 'broadcast_rows:' }) do redis.call('PERSIST', P .. key .. b) end
end
return added
