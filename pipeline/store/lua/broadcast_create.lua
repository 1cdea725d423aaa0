-- A broadcast comes into being, once for its id. ARGV: id, milliseconds when it is to start, then field, value, …
local b, send_at = ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', broadcast(b)) == 1 then return 'exists' end
redis.call('HSET', broadcast(b), 'state', 'scheduled', 'created_at', now, 'send_at', send_at, 'n_open', 0,
  unpack(ARGV, 3))
redis.call('ZADD', P .. 'broadcasts', now, b)
redis.call('ZADD', P .. 'broadcasts_open', send_at, b)
return 'created'
