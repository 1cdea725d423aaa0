-- A message comes in, once, however often it is posted.
-- ARGV: address key, key of the other address of the same person or '', sid, sealed message, days to keep the contact;
--   of RQ: the set of its queues, our queue, the key of the job that wakes a worker, the job's fields and values
local address, other, sid, sealed, days, queues, queue, job = unpack(ARGV, 1, 8)
local life = days * 86400

local k = redis.call('GET', P .. 'alias:' .. address)
local apart = other ~= '' and redis.call('GET', P .. 'alias:' .. other) or nil
local function is_idle(one) return redis.call('EXISTS', P .. 'lock:' .. one) == 0 and not redis.call('ZSCORE', P .. 'due', one) end
local function has_registered(one) return redis.call('HGET', person(one), 'step') == 'completed' end
if k and apart and k ~= apart and is_idle(k) and has_registered(apart) and not has_registered(k) then
  -- Two that are found to be one: the registration counts.
  k, apart = apart, k
end
k = k or apart or address

if not redis.call('SET', P .. 'received:' .. sid, 1, 'NX', 'EX', 7 * 86400) then return 'again' end
-- Nobody has this many questions at once: the rest is counted and dropped, and the person is asked to slow down.
if redis.call('LLEN', P .. 'inbox:' .. k) >= 30 then
  redis.call('HSET', person(k), 'slow', 1)
  tally('flooded')
  return 'full'
end

local function answers_to(alias)
  if redis.call('GET', P .. 'alias:' .. alias) ~= k then
    local known = redis.call('HGET', person(k), 'addresses')
    redis.call('HSET', person(k), 'addresses', known and known .. ' ' .. alias or alias)
  end
  redis.call('SET', P .. 'alias:' .. alias, k, 'EX', life)
end

if not apart or apart == k then
  answers_to(address)
  if other ~= '' then answers_to(other) end
elseif is_idle(apart) then
  -- Joined only while nothing waits for them there. That they opted out holds for both.
  answers_to(address)
  answers_to(other)
  for alias in string.gmatch(redis.call('HGET', person(apart), 'addresses') or '', '%S+') do answers_to(alias) end
  if redis.call('HEXISTS', P .. 'optouts', apart) == 1 then redis.call('HSETNX', P .. 'optouts', k, now) end
  forget(apart)
else
  answers_to(address)
end
redis.call('RPUSH', P .. 'inbox:' .. k, sid .. ' ' .. address .. ' ' .. sealed)
redis.call('HSET', person(k), 'last_in', now)
redis.call('EXPIRE', person(k), life)
-- A job wakes a worker at once; the sweep comes only if that job is lost. No job where it would find nothing to do:
-- whoever talks with this person right now looks into the inbox before they leave, and an answer that may not go yet is
-- due when it may.
local is_talking = redis.call('EXISTS', P .. 'lock:' .. k) == 1
local until_next = gap(redis.call('HGET', person(k), 'last_post'))
if not is_talking and until_next == 0 then
  redis.call('SADD', queues, queue)
  redis.call('HSET', job, unpack(ARGV, 9))
  redis.call('RPUSH', queue, sid)
end
due_by(k, now + (is_talking and 5000 or until_next > 0 and until_next or 5000))
redis.call('ZADD', P .. 'waiting', 'NX', now, k)
redis.call('SET', P .. 'last_in', now)
tally('in')
return 'taken'
