-- Some of the people a broadcast is for are put on its list, each once however often this runs.
-- Answers how many were new to it, or -1 when its list is not being made (any more).
-- ARGV: id, 1 free text (only who wrote within 24 hours) | 0 template, key, last inbound, key, last inbound, …
local b, is_free = ARGV[1], ARGV[2] == '1'
if redis.call('HGET', broadcast(b), 'state') ~= 'preparing' then return -1 end
local reachable, added = {}, {}
for i = 3, #ARGV, 2 do
  if not is_free or tonumber(ARGV[i + 1]) + WINDOW_MS > now then reachable[#reachable + 1] = ARGV[i] end
end
if #reachable == 0 then return 0 end
local opted_out = redis.call('HMGET', P .. 'optouts', unpack(reachable))
for i, k in ipairs(reachable) do
  local row = 'queued 0 ' .. now .. ' 0'
  if not opted_out[i] and redis.call('HSETNX', P .. 'broadcast_rows:' .. b, k, row) == 1 then added[#added + 1] = k end
end
if #added == 0 then return 0 end
redis.call('RPUSH', P .. 'broadcast_queue:' .. b, unpack(added))
count(b, 'open', #added)
count(b, 'total', #added)
return #added
