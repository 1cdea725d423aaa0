-- A message comes in, once, however often it is posted.
-- ARGV: address key, key of the other address of the same person or '', sid, sealed message, days to keep the contact
local address, other, sid, sealed, days = unpack(ARGV)
local life = days * 86400

local k = redis.call('GET', P .. 'alias:' .. address)
if not k and other ~= '' then k = redis.call('GET', P .. 'alias:' .. other) end
if not k then k = address end

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

answers_to(address)
if other ~= '' then
  -- Somebody known apart under the other address is joined only while nothing waits for them there.
  local apart = redis.call('GET', P .. 'alias:' .. other) or other
  if apart == k or not redis.call('ZSCORE', P .. 'due', apart) then answers_to(other) end
end
redis.call('RPUSH', P .. 'inbox:' .. k, sid .. ' ' .. address .. ' ' .. sealed)
redis.call('HSET', person(k), 'last_in', now)
redis.call('EXPIRE', person(k), life)
-- The job that is enqueued beside this wakes a worker at once; the sweep comes only if that job is lost.
due_by(k, now + 5000)
tally('in')
return 'taken'
