#!lua name=loci
-- Token buckets on the server's clock; the same arithmetic as loci_policy.buckets.take, for requests that wait together.
-- KEYS[1]: the bucket. ARGV[1]: "capacity tokens-per-minute cost requests".
-- Returns "requests-admitted whole-tokens-left milliseconds-until-one-more-would-pass milliseconds-until-full".
-- One text each way: a client packs and parses that much faster than seven arguments and an array.
redis.register_function('loci_take', function(keys, args)
  local capacity, per_minute, cost, requests = string.match(args[1], '^(%d+) (%d+) (%d+) (%d+)$')
  capacity, cost, requests = tonumber(capacity), tonumber(cost), tonumber(requests)
  local rate = tonumber(per_minute) / 60
  local time = redis.call('TIME')
  local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
  local tokens = capacity
  local held = redis.call('GET', keys[1])
  if held then
    local left, at = string.match(held, '^(%S+) (%S+)$')
    tokens = math.min(capacity, tonumber(left) + math.max(0, now - tonumber(at)) * rate)
  end
  local admitted = math.min(requests, math.floor(tokens / cost))
  tokens = tokens - admitted * cost
  local reset = math.ceil((capacity - tokens) / rate * 1000)
  -- A bucket that is full again need not be kept.
  redis.call('SET', keys[1], string.format('%.17g %.17g', tokens, now), 'PX', reset + 1000)
  local retry = math.max(0, math.ceil((cost - tokens) / rate * 1000))
  return string.format('%d %d %d %d', admitted, math.floor(tokens), retry, reset)
end)
