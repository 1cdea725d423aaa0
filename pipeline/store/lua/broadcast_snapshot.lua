-- Some of the people a broadcast is for are put on its list, each once however often this runs.
-- ARGV: id, 1 free text (only who wrote within 24 hours) | 0 template, key, last inbound, key, last inbound, …
local b, is_free = ARGV[1], ARGV[2] == '1'
if redis.call('HGET', broadcast(b), 'state') ~= 'preparing' then return 0 end
local added = 0
for i = 3, #ARGV, 2 do
  local k, last_in = ARGV[i], tonumber(ARGV[i + 1])
  local is_reachable = not is_free or last_in + WINDOW_MS > now
  if is_reachable and redis.call('HEXISTS', P .. 'optouts', k) == 0
    and redis.call('HSETNX', P .. 'broadcast_rows:' .. b, k, 'queued 0 ' .. now .. ' 0') == 1 then
    redis.call('RPUSH', P .. 'broadcast_queue:' .. b, k)
    added = added + 1
  end
end
count(b, 'open', added)
count(b, 'total', added)
return added
