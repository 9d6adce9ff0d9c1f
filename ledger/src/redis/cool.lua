-- Notes that a deployment is left alone, and why. KEYS: the list, by the moment until which (ms); what is known of each, which
-- begins with the moment since which. ARGV: id, for how long (ms), how many are kept at most, why. By Redis' own clock, since
-- those of the processes may differ.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_then = now + tonumber(ARGV[2])
local function forget(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
  end
end
forget(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now))
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
local since = known and string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^%d+') or now
if not known or tonumber(known) < until_then then
  redis.call('ZADD', KEYS[1], until_then, ARGV[1])
end
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', since) .. ' ' .. ARGV[4])
forget(redis.call('ZRANGE', KEYS[1], 0, -1 - tonumber(ARGV[3])))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then
  redis.call('PEXPIRE', KEYS[1], tonumber(last[2]) - now + 1000)
  redis.call('PEXPIRE', KEYS[2], tonumber(last[2]) - now + 1000)
end
return 1
