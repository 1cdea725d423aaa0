-- A broadcast comes into being, once for its id. ARGV: id, milliseconds when it is to start, a token of this very call,
-- then field, value, …
local b, send_at, call = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local made_by = redis.call('HGET', broadcast(b), 'made_by')
-- Our own call again: the answer to it was lost.
if made_by then return made_by == call and 'created' or 'exists' end
redis.call('HSET', broadcast(b), 'state', 'scheduled', 'created_at', now, 'send_at', send_at, 'n_open', 0,
  'made_by', call, unpack(ARGV, 4))
redis.call('ZADD', P .. 'broadcasts', now, b)
redis.call('ZADD', P .. 'broadcasts_open', send_at, b)
return 'created'
