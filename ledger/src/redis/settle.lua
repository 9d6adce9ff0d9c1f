-- A request is over. KEYS: the window, requests under way. ARGV: when its window began, tokens to add, its slot, 1 if it was no request.
-- What was used in a window that is over counts no more.
if redis.call('HGET', KEYS[1], 'began') == ARGV[1] then
  redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[2])
  if ARGV[4] == '1' then redis.call('HINCRBY', KEYS[1], 'requests', -1) end
end
redis.call('ZREM', KEYS[2], ARGV[3])
return 0
