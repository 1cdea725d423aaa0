-- May the outbox head be posted now? If so, that we are about to is recorded before it is done.
-- ARGV: key, token, sender, messages a second of the sender, seconds a recorded attempt needs to be settled,
--   messages a second while one of a broadcast may go
-- Answers: lost | empty | known | doubt, entry, attempted at | wait, milliseconds | pace, milliseconds | closed, entry |
--   go, entry, tries, now
local k, token, sender = ARGV[1], ARGV[2], ARGV[3]
local rate, settle_ms = tonumber(ARGV[4]), tonumber(ARGV[5]) * 1000
if not ours(k, token) then return { 'lost' } end
local entry = redis.call('LINDEX', P .. 'outbox:' .. k, 0)
if not entry then return { 'empty' } end
local decoded = cjson.decode(entry)
local ref, b = decoded.ref, decoded.broadcast
local state = redis.call('HMGET', person(k), 'attempt', 'attempted_at', 'out_due', 'last_post', 'last_in', 'tries')

-- A callback that carries the reference proves that Twilio has it.
if redis.call('HEXISTS', P .. 'status:' .. k, ref) == 1 then
  if not b then redis.call('SET', P .. 'last:' .. k, entry, 'EX', STATUS_LIFE) end
  pop_outbox(k)
  tally('out')
  if b then end_sent(b, k, ref) end
  if state[1] == ref then tally('settled_by_callback') end
  return { 'known' }
end

local function wait(milliseconds, why)
  redis.call('HSET', person(k), 'out_due', now + milliseconds)
  if b then off_hand(b, k) end
  return { why or 'wait', milliseconds }
end

local out_due = tonumber(state[3] or nil)
if out_due and out_due > now then return { 'wait', out_due - now } end

if state[1] == ref then
  local age = now - tonumber(state[2])
  if age < settle_ms then return wait(settle_ms - age) end
  return { 'doubt', entry, tonumber(state[2]) }
end

-- While Twilio refuses everything, one message every 30 s tries whether it still does.
local probe_at = tonumber(redis.call('HGET', P .. 'stopped', 'probe_at') or nil)
local is_stopped = probe_at and probe_at > now
local is_closed = not decoded.template and tonumber(state[5] or 0) + WINDOW_MS <= now
if b then
  -- Whatever was true when it was released is looked at once more.
  local standing = redis.call('HGET', broadcast(b), 'state')
  local skip = nil
  if standing == 'cancelled' then skip = 'cancelled' end
  if redis.call('HEXISTS', P .. 'optouts', k) == 1 then skip = 'opted_out' end
  if is_closed then skip = 'outside_window' end
  if skip then
    pop_outbox(k)
    end_row(b, k, 'skipped', skip)
    return { 'known' }
  end
  local share = tonumber(redis.call('LINDEX', P .. 'pace:' .. sender, tonumber(ARGV[6]) - 1) or nil)
  -- Handed out at the share of the pace already: a message that comes a moment early is no haste.
  local is_fast = share and share + 900 > now
  if standing ~= 'running' or is_fast or is_stopped then
    give_back(b, k)
    return { 'known' }
  end
elseif is_closed then
  return { 'closed', entry }
end

if is_stopped then return wait(probe_at - now) end

local until_next = gap(state[4])
if until_next > 0 then return wait(until_next) end
local pace = P .. 'pace:' .. sender
local oldest = tonumber(redis.call('LINDEX', pace, rate - 1) or nil)
if oldest and oldest + 1000 > now then return wait(oldest + 1000 - now, 'pace') end

if not b then redis.call('INCR', P .. 'reply_count') end
redis.call('LPUSH', pace, now)
redis.call('LTRIM', pace, 0, rate - 1)
redis.call('EXPIRE', pace, 60)
if probe_at then redis.call('HSET', P .. 'stopped', 'probe_at', now + 30000) end
redis.call('HSET', person(k), 'attempt', ref, 'attempted_at', now, 'last_post', now)
redis.call('HDEL', person(k), 'out_due')
return { 'go', entry, tonumber(state[6] or 0), now }
