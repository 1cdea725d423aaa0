-- The locks a process holds live on. ARGV: milliseconds a lock lives, then pairs of key and token. Returns the keys lost.
local life = tonumber(ARGV[1])
local lost = {}
for i = 2, #ARGV, 2 do
  local k, token = ARGV[i], ARGV[i + 1]
  if ours(k, token) then
    redis.call('PEXPIRE', P .. 'lock:' .. k, life)
    redis.call('ZADD', P .. 'due', 'XX', now + life + 500, k)
  else
    lost[#lost + 1] = k
  end
end
return lost
