-- Notes that a deployment is left alone. KEYS: the list, by the moment until which (ms). ARGV: id, for how long (ms), how many
-- are kept at most. By Redis' own clock, since those of the processes may differ.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_then = now + tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known or tonumber(known) < until_then then
  redis.call('ZADD', KEYS[1], until_then, ARGV[1])
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then
  redis.call('PEXPIRE', KEYS[1], tonumber(last[2]) - now + 1000)
end
return 1
