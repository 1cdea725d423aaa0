-- Recipients whose message failed for a passing reason are put back. ARGV: id, keys …
local b, added = ARGV[1], 0
if redis.call('EXISTS', broadcast(b)) == 0 then return 0 end
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
  redis.call('HDEL', broadcast(b), 'finished_at', 'reason')
  redis.call('DEL', P .. 'broadcast_recent:' .. b)
  redis.call('HSET', broadcast(b), 'state', 'running')
  redis.call('ZADD', P .. 'broadcasts_open', now, b)
  for _, key in ipairs({ 'broadcast:', 'broadcast_rows:' }) do redis.call('PERSIST', P .. key .. b) end
end
return added
