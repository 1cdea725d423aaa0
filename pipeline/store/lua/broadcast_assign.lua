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
      end_row(b, k, 'skipped', 'cancelled')
    end
  end
end
if #running == 0 or redis.call('EXISTS', P .. 'stopped') == 1 then return {} end

-- Tokens come at the rate; a second's worth may be saved up. Replies take theirs first.
local used_at = math.max(tonumber(redis.call('GET', P .. 'broadcast_pace') or 0), now - 1000)
-- Before the first broadcast for long, many replies have been counted: a second's worth is held against it.
local replies = math.min(tonumber(redis.call('GET', P .. 'reply_count') or 0), rate)
redis.call('DEL', P .. 'reply_count')
used_at = used_at + replies * 1000 / rate
local free = math.min(math.floor((now - used_at) * rate / 1000), most - redis.call('ZCARD', in_hand))
local woken = {}
local turn = tonumber(redis.call('GET', P .. 'broadcast_turn') or 0)
local dry = 0
while #woken < free and dry < #running do
  turn = turn + 1
  local b = running[turn % #running + 1]
  local k = redis.call('LPOP', P .. 'broadcast_queue:' .. b)
  if not k then
    dry = dry + 1
  elseif string.match(row_of(b, k), '^queued') then
    dry = 0
    if redis.call('HEXISTS', person(k), 'broadcast') == 1 then
      -- Another broadcast is just about to reach this person.
      redis.call('RPUSH', P .. 'broadcast_queue:' .. b, k)
      dry = dry + 1
    else
      redis.call('HSET', person(k), 'broadcast', b)
      redis.call('ZADD', in_hand, now, b .. ' ' .. k)
      due_by(k, now + 2000)
      woken[#woken + 1] = k
    end
  end
end
redis.call('SET', P .. 'broadcast_turn', turn)
redis.call('SET', P .. 'broadcast_pace', string.format('%.3f', used_at + #woken * 1000 / rate))
return woken
