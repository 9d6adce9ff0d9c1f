-- Counts one request in one counter, unless something is full. KEYS: the window, requests under way.
-- ARGV: length of a window (ms), tokens, slot, life of a slot (ms), limits of requests, tokens, requests under way (-1: none).
-- Answers what is full (0: nothing, else its place among the limits), when the window began, and what it counts now.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, life = tonumber(ARGV[1]), tonumber(ARGV[4])
local limits = { tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]) }

local kept = redis.call('HMGET', KEYS[1], 'began', 'requests', 'tokens')
local began, count = tonumber(kept[1] or 0), { tonumber(kept[2] or 0), tonumber(kept[3] or 0), 0 }
if now < began or now - began >= window then
  began, count[1], count[2] = now, 0, 0
  redis.call('HSET', KEYS[1], 'began', began, 'requests', 0, 'tokens', 0)
  redis.call('PEXPIRE', KEYS[1], window + 1000)
end
if limits[3] >= 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  count[3] = redis.call('ZCARD', KEYS[2])
end

for place = 1, 3 do
  if limits[place] >= 0 and count[place] >= limits[place] then
    return { place, began, count[1], count[2], count[3] }
  end
end
count[1] = redis.call('HINCRBY', KEYS[1], 'requests', 1)
count[2] = redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[2])
if limits[3] >= 0 then
  redis.call('ZADD', KEYS[2], now + life, ARGV[3])
  redis.call('PEXPIRE', KEYS[2], life)
  count[3] = count[3] + 1
end
return { 0, began, count[1], count[2], count[3] }
