-- Stands behind the prelude in scripts that touch broadcasts.
-- Broadcasts. A row is `state detail time generation`: detail is an error code or a reason, the generation counts how
-- often the recipient was put back for a failure. n_open counts the recipients whose row has not come to an end.
local BROADCAST_LIFE = 90 * 24 * 3600

local function broadcast(b) return P .. 'broadcast:' .. b end
local COUNTED = { sent = true, delivered = true, read = true, failed = true, skipped = true }
local function count(b, name, by)
  -- What was counted stays counted: the figures over all broadcasts only grow.
  if COUNTED[name] and (by or 1) > 0 then tally('broadcast:' .. name, by) end
  return redis.call('HINCRBY', broadcast(b), 'n_' .. name, by or 1)
end
local function row_of(b, k) return redis.call('HGET', P .. 'broadcast_rows:' .. b, k) or '' end
local function set_row(b, k, state, detail)
  local generation = string.match(row_of(b, k), '(%d+)$') or '0'
  local row = string.format('%s %s %d %s', state, detail, now, generation)
  redis.call('HSET', P .. 'broadcast_rows:' .. b, k, row)
end

local function finish_if_done(b)
  if tonumber(redis.call('HGET', broadcast(b), 'n_open')) > 0 then return end
  local state, paused_from = unpack(redis.call('HMGET', broadcast(b), 'state', 'paused_from'))
  if state == 'running' or (state == 'paused' and paused_from == 'running') then
    redis.call('HSET', broadcast(b), 'state', 'done')
  elseif state ~= 'cancelled' then
    return
  end
  redis.call('HSETNX', broadcast(b), 'finished_at', now)
  redis.call('ZREM', P .. 'broadcasts_open', b)
  redis.call('EXPIRE', broadcast(b), BROADCAST_LIFE)
  redis.call('EXPIRE', P .. 'broadcast_rows:' .. b, BROADCAST_LIFE)
end

-- Something is wrong with the message or the sender: it stops to be looked at.
local function pause_itself(b, reason)
  if redis.call('HGET', broadcast(b), 'state') ~= 'running' then return end
  redis.call('HSET', broadcast(b), 'state', 'paused', 'paused_from', 'running', 'reason', reason)
end

-- More than 20 failures among the last 100 results pause it. `was_sent`: noted before, as one that went well.
local function note_result(b, is_failure, was_sent)
  local recent = P .. 'broadcast_recent:' .. b
  if was_sent then redis.call('LREM', recent, 1, 0) end
  redis.call('LPUSH', recent, is_failure and 1 or 0)
  redis.call('LTRIM', recent, 0, 99)
  redis.call('EXPIRE', recent, 7 * 86400)
  if not is_failure then return end
  local failures = 0
  for _, one in ipairs(redis.call('LRANGE', recent, 0, -1)) do failures = failures + tonumber(one) end
  if failures > 20 then pause_itself(b, 'more than 20 % of the last 100 failed') end
end

-- The worker's thread that had this recipient in hand is free again.
local function off_hand(b, k) redis.call('ZREM', P .. 'broadcast_in_hand', b .. ' ' .. k) end

-- A recipient has been served, or never will be: sent | failed | skipped. At any time n_open, n_sent, n_failed and
-- n_skipped add up to n_total; n_delivered and n_read are parts of n_sent.
local function end_row(b, k, state, detail)
  off_hand(b, k)
  set_row(b, k, state, detail)
  count(b, state)
  if state ~= 'skipped' then note_result(b, state == 'failed') end
  count(b, 'open', -1)
  finish_if_done(b)
end

-- What could not be handed to Twilio now is the broadcast's again, so that it never stands before a reply.
local function give_back(b, k)
  pop_outbox(k)
  off_hand(b, k)
  set_row(b, k, 'queued', 0)
  redis.call('RPUSH', P .. 'broadcast_queue:' .. b, k)
end

-- Twilio's word on a message it took. Delivered and read are counted once each, read counts as delivered.
local function move_row(b, k, status, code)
  local state = string.match(row_of(b, k), '^%S+')
  if not state then return end
  if status == 'delivered' and state == 'sent' then
    set_row(b, k, 'delivered', 0)
    count(b, 'delivered')
  elseif status == 'read' and (state == 'sent' or state == 'delivered') then
    if state == 'sent' then count(b, 'delivered') end
    set_row(b, k, 'read', 0)
    count(b, 'read')
  elseif (status == 'failed' or status == 'undelivered') and state == 'sent' then
    set_row(b, k, 'failed', code)
    count(b, 'sent', -1)
    count(b, 'failed')
    note_result(b, true, true)
  end
end

-- Twilio has it. A callback may have told what became of it before we knew.
local function end_sent(b, k, ref)
  end_row(b, k, 'sent', 0)
  local known = redis.call('HGET', P .. 'status:' .. k, ref)
  if known then move_row(b, k, string.match(known, '^%d+ (%S+)'), string.match(known, '(%d+) %d+$')) end
end
