-- One turn, whole: session, contact, replies, the message it answers.
-- ARGV: key, token, sid ('' for a turn without a message), the timer that caused it ('' for a turn with a message),
--   sealed session or '', seconds it lives, sealed contact, seconds it lives, step of the session or '', last step,
--   new timer or '', 1 opted out | 0 opted in again | '' neither, 1 asked for the team | 0 not, number of counters, counters, outbox entries
--   (a counter `time:NAME MILLISECONDS` is an observation)
local k, token, sid, timer = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not ours(k, token) then return { 'lost' } end

-- Only the holder pops, so a head that is not this message was committed by an earlier run of this very script.
local head = redis.call('LINDEX', P .. 'inbox:' .. k, 0) or ''
local pending = redis.call('HGET', person(k), 'timer') or ''
local is_done
if sid ~= '' then is_done = string.sub(head, 1, #sid + 1) ~= sid .. ' ' else is_done = pending ~= timer end
if is_done then return { 'done', view(k) } end

local session, session_life, contact, contact_life = ARGV[5], tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local step, last_step, new_timer = ARGV[9], ARGV[10], ARGV[11]
if session ~= '' then
  redis.call('SET', P .. 'session:' .. k, session, 'EX', session_life)
else
  redis.call('DEL', P .. 'session:' .. k)
end
redis.call('SET', P .. 'contact:' .. k, contact, 'EX', contact_life)
redis.call('EXPIRE', person(k), contact_life)
if sid ~= '' then redis.call('LPOP', P .. 'inbox:' .. k) end
redis.call('HDEL', person(k), 'starts', 'raised', 'erased')
if new_timer ~= '' then
  redis.call('HSET', person(k), 'timer', new_timer)
else
  redis.call('HDEL', person(k), 'timer')
end

local old_step = redis.call('HGET', person(k), 'step')
if old_step and old_step ~= last_step then
  redis.call('ZREM', P .. 'people:' .. old_step, k)
  redis.call('ZREM', P .. 'live:' .. old_step, k)
end
if last_step ~= '' then
  redis.call('HSET', person(k), 'step', last_step)
  redis.call('ZADD', P .. 'people:' .. last_step, redis.call('HGET', person(k), 'last_in') or now, k)
end
if step ~= '' then redis.call('ZADD', P .. 'live:' .. step, now + session_life * 1000, k) end

-- A callback may have noted an opt-out since this turn was begun: what the turn does not change is left alone.
if ARGV[12] == '1' then redis.call('HSETNX', P .. 'optouts', k, now) end
if ARGV[12] == '0' then redis.call('HDEL', P .. 'optouts', k) end
if ARGV[13] == '1' then redis.call('ZADD', P .. 'support', now, k) end
local counters = tonumber(ARGV[14])
for i = 15, 14 + counters do
  local timed, milliseconds = string.match(ARGV[i], '^time:(%S+) (%d+)$')
  if timed then tally_time(timed, tonumber(milliseconds)) else tally(ARGV[i]) end
end
for i = 15 + counters, #ARGV do redis.call('RPUSH', P .. 'outbox:' .. k, ARGV[i]) end
return { 'ok', view(k) }
