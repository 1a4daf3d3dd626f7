#!lua name=loci
-- Token buckets on the server's clock; the same arithmetic as loci_policy.buckets.take.
-- KEYS[1]: the bucket. ARGV[1]: "capacity tokens-per-minute cost".
-- Returns "allowed(1|0) whole-tokens-left milliseconds-until-the-same-would-pass milliseconds-until-full".
-- One text each way: a client packs and parses that much faster than seven arguments and an array.
redis.register_function('loci_take', function(keys, args)
  local capacity, per_minute, cost = string.match(args[1], '^(%d+) (%d+) (%d+)$')
  capacity, cost = tonumber(capacity), tonumber(cost)
  local rate = tonumber(per_minute) / 60
  local time = redis.call('TIME')
  local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
  local tokens = capacity
  local held = redis.call('GET', keys[1])
  if held then
    local left, at = string.match(held, '^(%S+) (%S+)$')
    tokens = math.min(capacity, tonumber(left) + math.max(0, now - tonumber(at)) * rate)
  end
  local allowed = tokens >= cost
  if allowed then
    tokens = tokens - cost
  end
  local reset = math.ceil((capacity - tokens) / rate * 1000)
  -- A bucket that is full again need not be kept.
  redis.call('SET', keys[1], string.format('%.17g %.17g', tokens, now), 'PX', reset + 1000)
  local retry = allowed and 0 or math.ceil((cost - tokens) / rate * 1000)
  return string.format('%d %d %d %d', allowed and 1 or 0, math.floor(tokens), retry, reset)
end)
