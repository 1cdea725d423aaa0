-- Values of one person are replaced by the same, sealed with another key.
-- ARGV: key, token, then groups of four: S | L | H (string, list entry, hash field), name of the key, index or field,
-- new value. Everything here changes only under the lock, but that messages are appended to the inbox.
local k, token = ARGV[1], ARGV[2]
if not ours(k, token) then return 'lost' end
for i = 3, #ARGV, 4 do
  local kind, key, place, value = ARGV[i], P .. ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if kind == 'S' then
    if redis.call('EXISTS', key) == 1 then redis.call('SET', key, value, 'KEEPTTL') end
  elseif kind == 'L' then
    redis.call('LSET', key, place, value)
  elseif redis.call('HEXISTS', key, place) == 1 then
    redis.call('HSET', key, place, value)
  end
end
return 'ok'
