-- How the service fares: milliseconds since the clock was last alive and since the oldest message waits ('' for never),
-- how many workers, jobs on the queue, people waiting, the code for which Twilio refuses everything.
-- ARGV: milliseconds after which a process counts as dead
local clock = redis.call('ZRANGE', P .. 'alive:clock', -1, -1, 'WITHSCORES')[2]
local oldest = redis.call('ZRANGE', P .. 'waiting', 0, 0, 'WITHSCORES')[2]
return {
  clock and now - tonumber(clock) or '', oldest and now - tonumber(oldest) or '',
  redis.call('ZCOUNT', P .. 'alive:worker', now - tonumber(ARGV[1]), '+inf'),
  redis.call('LLEN', 'rq:queue:msme'), redis.call('ZCARD', P .. 'waiting'),
  redis.call('HGET', P .. 'stopped', 'code') or '',
}
