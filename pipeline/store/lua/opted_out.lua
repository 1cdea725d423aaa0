-- How many of those who opted out stand at a step. ARGV: step, begin of the 24 hours, oldest contact (milliseconds)
-- Answers two numbers: who wrote within the 24 hours, who wrote before.
local inside, before = 0, 0
for _, k in ipairs(redis.call('HKEYS', P .. 'optouts')) do
  local last_in = tonumber(redis.call('ZSCORE', P .. 'people:' .. ARGV[1], k) or 0)
  if last_in > tonumber(ARGV[2]) then
    inside = inside + 1
  elseif last_in > tonumber(ARGV[3]) then
    before = before + 1
  end
end
return { inside, before }
