-- start | run | pause | resume | cancel. ARGV: id, wish, reason. Answers the state it is in afterwards, or 'unknown'.
-- `start` is answered 'preparing' to whoever is to take the snapshot; `run` ends the snapshot.
local b, wish, reason = ARGV[1], ARGV[2], ARGV[3]
local state = redis.call('HGET', broadcast(b), 'state')
if not state then return 'unknown' end
local function become(new) redis.call('HSET', broadcast(b), 'state', new) state = new end

if wish == 'start' and state == 'scheduled' then
  if tonumber(redis.call('HGET', broadcast(b), 'send_at')) <= now then
    redis.call('HSETNX', broadcast(b), 'started_at', now)
    become('preparing')
  end
elseif wish == 'run' and state == 'preparing' then
  become('running')
  finish_if_done(b)
  state = redis.call('HGET', broadcast(b), 'state')
elseif wish == 'pause' and (state == 'running' or state == 'scheduled' or state == 'preparing') then
  redis.call('HSET', broadcast(b), 'paused_from', state, 'reason', reason)
  become('paused')
elseif wish == 'resume' and state == 'paused' then
  redis.call('HDEL', broadcast(b), 'reason')
  redis.call('DEL', P .. 'broadcast_recent:' .. b)
  become(redis.call('HGET', broadcast(b), 'paused_from'))
elseif wish == 'cancel' and (state == 'scheduled' or state == 'preparing' or state == 'running' or state == 'paused') then
  redis.call('HSET', broadcast(b), 'reason', reason)
  become('cancelled')
  finish_if_done(b)
end
return state
