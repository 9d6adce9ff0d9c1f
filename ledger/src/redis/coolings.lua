-- Who is left alone, and what is known of each: id, for how many milliseconds still, for how many by now, why, id … What is
-- not known is empty. KEYS: the list; what is known of each. ARGV: how many at most.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
local told = {}
for place = 1, #kept, 2 do
  local since, why = string.match(redis.call('HGET', KEYS[2], kept[place]) or '', '^(%d+) (.*)$')
  told[#told + 1] = kept[place]
  told[#told + 1] = string.format('%.0f', tonumber(kept[place + 1]) - now)
  told[#told + 1] = since and string.format('%.0f', math.max(0, now - tonumber(since))) or ''
  told[#told + 1] = why or ''
end
return told
