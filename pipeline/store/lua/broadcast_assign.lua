-- The next few recipients are handed out, at the broadcasts' share of the pace less what replies used of it.
-- ARGV: messages a second of all broadcasts, most recipients in hand at a time
-- Answers the keys of the people to wake.
local rate, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local open = redis.call('ZRANGEBYSCORE', P .. 'broadcasts_open', '-inf', now)
if #open == 0 then return {} end

-- Handed out long ago and never released: whoever had it died. It goes back.
local in_hand = P .. 'broadcast_in_hand'
for _, pair in ipairs(redis.call('ZRANGEBYSCORE', in_hand, '-inf', now - 30000, 'LIMIT', 0, 100)) do
  local b, k = string.match(pair, '^(%S+) (%S+)$')
  redis.call('ZREM', in_hand, pair)
  if redis.call('HGET', person(k), 'broadcast') == b then redis.call('HDEL', person(k), 'broadcast') end
  if string.match(row_of(b, k), '^queued') then redis.call('LPUSH', P .. 'broadcast_queue:' .. b, k) end
end

local running = {}
for _, b in ipairs(open) do
  local state = redis.call('HGET', broadcast(b), 'state')
  local is_held = tonumber(redis.call('HGET', broadcast(b), 'not_before') or 0) > now
  if state == 'running' and not is_held and redis.call('EXISTS', P .. 'broadcast_queue:' .. b) == 1 then running[#running + 1] = b end
  if state == 'cancelled' then
    for _ = 1, 500 do
      local k = redis.call('LPOP', P .. 'broadcast_queue:' .. b)
      if not k then break end
      if string.match(row_of(b, k), '^queued') then end_row(b, k, 'skipped', 'cancelled') end
    end
  end
end
if #running == 0 then return {} end
-- While Twilio refuses everything, one now and then tries whether it still does.
local probe_at = tonumber(redis.call('HGET', P .. 'stopped', 'probe_at') or nil)
if probe_at and probe_at > now then return {} end
if probe_at then most = 1 end

-- Tokens come at the rate; a little may be saved up, to make good for a late hand-out. More would go out all at once and
-- make replies wait. Those take theirs first.
local saved_ms = math.max(300, 1000 / rate)
local last = tonumber(redis.call('GET', P .. 'broadcast_pace') or 0)
local used_at = math.max(last, now - saved_ms)
-- What was counted since a hand-out of long ago are the replies of hours, not of a moment.
local replies = last > now - 1000 and tonumber(redis.call('GET', P .. 'reply_count') or 0) or 0
redis.call('DEL', P .. 'reply_count')
used_at = used_at + replies * 1000 / rate
-- Whoever is in hand for longer is held by a worker that died or hangs, and takes no place.
local held = redis.call('ZCOUNT', in_hand, now - 5000, '+inf')
local free = math.min(math.floor((now - used_at) * rate / 1000), most - held)

-- The next recipient whom no other broadcast is just about to reach. Two broadcasts to the same people have them in the
-- same order, so a few are looked at.
local function next_of(b)
  local queue = P .. 'broadcast_queue:' .. b
  for _ = 1, 8 do
    local k = redis.call('LPOP', queue)
    if not k then return nil end
    if string.match(row_of(b, k), '^queued') then
      if redis.call('HEXISTS', person(k), 'broadcast') == 0 then return k end
      redis.call('RPUSH', queue, k)
    end
  end
end

local woken = {}
local turn = tonumber(redis.call('GET', P .. 'broadcast_turn') or 0)
local dry = 0
while #woken < free and dry < #running do
  turn = turn + 1
  local b = running[turn % #running + 1]
  local k = next_of(b)
  if k then
    dry = 0
    redis.call('HSET', person(k), 'broadcast', b)
    redis.call('ZADD', in_hand, now, b .. ' ' .. k)
    due_by(k, now + 2000)
    woken[#woken + 1] = k
  else
    dry = dry + 1
  end
end
redis.call('SET', P .. 'broadcast_turn', turn)
redis.call('SET', P .. 'broadcast_pace', string.format('%.3f', used_at + #woken * 1000 / rate))
return woken
