-- Who is left alone, and for how many milliseconds: id, time, id, time … KEYS: the list. ARGV: how many at most.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for place = 2, #kept, 2 do
  kept[place] = tostring(tonumber(kept[place]) - now)
end
return kept
