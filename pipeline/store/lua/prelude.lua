-- Stands before every script of this folder. Key names: see the docstring of pipeline/store/__init__.py.
local P = 'msme:'

local function redis_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local now = redis_now()

-- Counters stand under the day of India, UTC+5:30, because that is whose day it is; and under their sum of all time.
local function tally(name, by)
  redis.call('HINCRBY', P .. 'totals', name, by or 1)
  local key = P .. 'tally:' .. math.floor((now / 1000 + 19800) / 86400)
  if redis.call('HINCRBY', key, name, by or 1) == (by or 1) then redis.call('EXPIRE', key, 400 * 86400) end
end

-- One observation of a histogram. The bounds are those of pipeline/store/tallies.py, in milliseconds.
local BOUNDS = { 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000 }
local function tally_time(name, milliseconds)
  local bound = 'more'
  for _, one in ipairs(BOUNDS) do
    if milliseconds <= one then
      bound = one
      break
    end
  end
  tally('time:' .. name .. ':' .. bound)
  tally('time:' .. name .. ':sum', math.floor(milliseconds))
end

local function person(k) return P .. 'person:' .. k end
local function ours(k, token) return redis.call('GET', P .. 'lock:' .. k) == token end

local function due_by(k, at) redis.call('ZADD', P .. 'due', 'LT', at, k) end
local function due_at(k, at) redis.call('ZADD', P .. 'due', at, k) end

-- One person is sent one message a second: milliseconds until the next may go.
local function gap(last_post) return math.max(0, tonumber(last_post or 0) + 1000 - now) end

-- When this person needs us next: a number, or nil when there is nothing to do. A message waits until its answer may go.
local function next_due(k)
  if redis.call('HEXISTS', person(k), 'broadcast') == 1 then return now end
  local at = redis.call('HMGET', person(k), 'out_due', 'timer', 'resend_at', 'last_post')
  local soonest = redis.call('EXISTS', P .. 'inbox:' .. k) == 1 and now + gap(at[4]) or nil
  local function consider(time) if time and (not soonest or time < soonest) then soonest = time end end
  if redis.call('EXISTS', P .. 'outbox:' .. k) == 1 then consider(tonumber(at[1]) or now) end
  consider(tonumber(at[2] or nil))
  consider(tonumber(at[3] or nil))
  return soonest
end

-- What a worker needs for the next turn. Reading the inbox head counts as starting it (Invariant: ten starts at most).
local function view(k)
  local head = redis.call('LINDEX', P .. 'inbox:' .. k, 0) or ''
  local starts = 0
  if head ~= '' then starts = redis.call('HINCRBY', person(k), 'starts', 1) end
  local noted = redis.call('HMGET', person(k), 'timer', 'slow', 'broadcast')
  return {
    k, now, head, starts, noted[1] or '', noted[2] or '', noted[3] or '',
    redis.call('GET', P .. 'session:' .. k) or '',
    redis.call('GET', P .. 'contact:' .. k) or '',
    redis.call('HGET', P .. 'optouts', k) or '',
    redis.call('LLEN', P .. 'outbox:' .. k),
  }
end

-- Takes the outbox head away; what was noted about sending it goes with it. Of somebody erased, the receipt was the
-- last thing to be said.
local function pop_outbox(k)
  redis.call('LPOP', P .. 'outbox:' .. k)
  redis.call('HDEL', person(k), 'attempt', 'attempted_at', 'tries', 'out_due')
  local is_erased = redis.call('HEXISTS', person(k), 'erased') == 1
  if is_erased and redis.call('EXISTS', P .. 'inbox:' .. k, P .. 'outbox:' .. k) == 0 then
    redis.call('DEL', person(k), P .. 'last:' .. k)
  end
end

-- What is known of a person, and where they stand on our lists; what waits for them stays.
local function forget(k)
  local step = redis.call('HGET', person(k), 'step')
  if step then
    redis.call('ZREM', P .. 'people:' .. step, k)
    redis.call('ZREM', P .. 'live:' .. step, k)
  end
  redis.call('ZREM', P .. 'support', k)
  redis.call('ZREM', P .. 'waiting', k)
  redis.call('DEL', person(k), P .. 'session:' .. k, P .. 'contact:' .. k, P .. 'last:' .. k)
end

local function reference_of(entry) return cjson.decode(entry).ref end

local function record_failure(id, record)
  record.at = now
  redis.call('HSET', P .. 'failed', id, cjson.encode(record))
  redis.call('ZADD', P .. 'failed_at', now, id)
end

-- A status moves forward only: Twilio's callbacks come twice and in any order.
local STATUS_LIFE = 48 * 3600
local function note_status(k, ref, rank, status, sid, code)
  local key = P .. 'status:' .. k
  local known = redis.call('HGET', key, ref)
  if known and tonumber(string.match(known, '^%d+')) >= rank then return false end
  redis.call('HSET', key, ref, string.format('%d %s %s %d %d', rank, status, sid, code, now))
  redis.call('EXPIRE', key, STATUS_LIFE)
  -- Of somebody who writes every day the key never expires, so what is old goes one by one.
  if redis.call('HLEN', key) > 64 then
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
      if tonumber(string.match(all[i + 1], '%d+$')) < now - STATUS_LIFE * 1000 then redis.call('HDEL', key, all[i]) end
    end
  end
  return true
end

-- WhatsApp takes free text for 24 hours after the person's last message, no longer.
local WINDOW_MS = 24 * 3600 * 1000
