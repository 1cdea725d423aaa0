-- Who is overdue? Each is claimed for 10 s, so that one sweep at a time wakes them. ARGV: how many at most
-- Answers their keys, and milliseconds until the next is due ('': nobody is).
local overdue = redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))
for _, k in ipairs(overdue) do due_at(k, now + 10000) end
local soonest = redis.call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
return { overdue, soonest and math.max(0, tonumber(soonest) - now) or '' }
