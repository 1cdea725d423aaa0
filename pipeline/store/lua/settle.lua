-- What became of the attempt at the outbox head.
-- ARGV: key, token, reference, outcome, sid, code, milliseconds to wait, reason
-- Outcomes: sent | again (not taken: send later) | unsent (never left us) | doubt | drop | stop (nothing may be sent)
local k, token, ref, outcome, sid = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local code, wait, reason = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
if not ours(k, token) then return 'lost' end
local entry = redis.call('LINDEX', P .. 'outbox:' .. k, 0)
-- A head with another reference: this outcome was recorded by an earlier run of this very script.
if not entry or reference_of(entry) ~= ref then return 'done' end
local is_to_be_sent_again = outcome == 'again' or outcome == 'unsent' or outcome == 'stop'
if is_to_be_sent_again and redis.call('HGET', person(k), 'attempt') ~= ref then return 'done' end

local b = cjson.decode(entry).broadcast
if outcome == 'sent' then
  if not b then tally_time('accepted', now - tonumber(redis.call('HGET', person(k), 'last_in') or now)) end
  note_status(k, ref, 0, 'accepted', sid, 0)
  if not b then redis.call('SET', P .. 'last:' .. k, entry, 'EX', STATUS_LIFE) end
  pop_outbox(k)
  redis.call('DEL', P .. 'stopped')
  tally('out')
  if b then end_sent(b, k, ref) end
elseif outcome == 'drop' then
  local is_erased = redis.call('HEXISTS', person(k), 'erased') == 1
  pop_outbox(k)
  if b then
    end_row(b, k, 'failed', code)
  elseif not is_erased then
    local body = cjson.decode(entry).body
    record_failure(ref, { kind = 'reply', contact = k, sealed = body, reason = reason, code = code })
  end
  -- A refusal of this one message says that others are taken.
  redis.call('DEL', P .. 'stopped')
  if reason == 'opted out' then redis.call('HSETNX', P .. 'optouts', k, now) end
  tally('dropped')
elseif outcome == 'doubt' then
  redis.call('HSET', person(k), 'out_due', now + wait)
  if b then off_hand(b, k) end
  tally('in_doubt')
else
  if b then
    give_back(b, k)
    redis.call('HSET', broadcast(b), 'not_before', now + wait)
  else
    redis.call('HDEL', person(k), 'attempt', 'attempted_at')
    redis.call('HSET', person(k), 'out_due', now + wait)
    if outcome ~= 'unsent' then redis.call('HINCRBY', person(k), 'tries', 1) end
  end
  if outcome == 'stop' then
    redis.call('HSETNX', P .. 'stopped', 'since', now)
    redis.call('HSET', P .. 'stopped', 'code', code, 'probe_at', now + wait)
    if b then pause_itself(b, 'Twilio refuses everything (code ' .. code .. ')') end
  end
end
-- Twilio's own list told what became of an attempt in doubt.
if reason == 'listed' then tally('settled_by_list') end
if code > 0 then tally('code:' .. code) end
return 'ok'
