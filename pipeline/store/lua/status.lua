-- Twilio says how a message of ours fares. ARGV: key, reference, rank, status, sid, code, decision of that code
local k, ref, rank, status, sid = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local code, decision = tonumber(ARGV[6]), ARGV[7]
-- Whoever was erased stays erased: all that is left to hear of is the receipt, while it is being sent.
if redis.call('EXISTS', person(k)) == 0 then return 'unknown' end
if redis.call('HEXISTS', person(k), 'erased') == 1 and redis.call('HGET', person(k), 'attempt') ~= ref then
  return 'unknown'
end
if not note_status(k, ref, rank, status, sid, code) then return 'old' end
tally('status:' .. status)
local b = string.match(ref, '^%x+%-(b%x+)%-')
if b then move_row(b, k, status, code) end
if status == 'delivered' and not b then
  tally_time('delivered', now - tonumber(redis.call('HGET', person(k), 'last_in') or now))
end

-- An attempt in doubt waits for just this.
local is_attempt = redis.call('HGET', person(k), 'attempt') == ref
if is_attempt then
  redis.call('HSET', person(k), 'out_due', now)
  due_by(k, now)
end
if status ~= 'failed' and status ~= 'undelivered' then return 'noted' end

if code > 0 then tally('code:' .. code) end
if b and decision == 'stop all' then pause_itself(b, 'Twilio refuses everything (code ' .. code .. ')') end
if decision == 'opted out' then redis.call('HSETNX', P .. 'optouts', k, now) end
local last = redis.call('GET', P .. 'last:' .. k)
local is_last = last and reference_of(last) == ref
if not b then
  local record = { kind = 'reply', contact = k, reason = 'not delivered', code = code }
  if is_last then record.sealed = cjson.decode(last).body end
  record_failure(ref, record)
end
if decision == 'retry' and not b and (is_last or is_attempt) and string.sub(ref, -6) ~= '-again' then
  redis.call('HSET', person(k), 'resend', ref, 'resend_at', now + 60000)
  due_by(k, now + 60000)
end
return 'failed'
