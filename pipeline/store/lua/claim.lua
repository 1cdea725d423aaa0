-- Who is overdue? Each is claimed for 20 s, so that one sweep at a time wakes them. ARGV: how many at most
local overdue = redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))
for _, k in ipairs(overdue) do due_at(k, now + 20000) end
return overdue
