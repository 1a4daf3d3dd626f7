#!lua name=loci
-- Token buckets on the server's clock, with the arithmetic of loci_policy.buckets.bucket. A bucket is a string
-- "tokens unix-seconds"; a missing one is full. Arguments and replies are one string each: clients pack and parse that
-- much faster than lists.

local function seconds_now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1e6
end

-- The tokens in a bucket now, refilled at `rate` tokens per second.
local function tokens_in(key, capacity, rate, now)
  local held = redis.call('GET', key)
  if not held then return capacity end
  local left, at = string.match(held, '^(%S+) (%S+)$')
  return math.min(capacity, tonumber(left) + math.max(0, now - tonumber(at)) * rate)
end

-- Returns the milliseconds until the bucket is full; Redis drops it shortly after.
local function store(key, tokens, capacity, rate, now)
  local reset = math.ceil((capacity - tokens) / rate * 1000)
  redis.call('SET', key, string.format('%.17g %.17g', tokens, now), 'PX', reset + 1000)
  return reset
end

-- KEYS[1]: the bucket. ARGV[1]: "capacity tokens-per-minute cost requests", for requests that wait together.
-- Returns "requests-admitted whole-tokens-left milliseconds-until-one-more-would-pass milliseconds-until-full".
redis.register_function('loci_take', function(keys, args)
  local capacity, per_minute, cost, requests = string.match(args[1], '^(%d+) (%d+) (%d+) (%d+)$')
  capacity, cost, requests = tonumber(capacity), tonumber(cost), tonumber(requests)
  local rate, now = tonumber(per_minute) / 60, seconds_now()
  local tokens = tokens_in(keys[1], capacity, rate, now)
  local admitted = math.min(requests, math.floor(tokens / cost))
  tokens = tokens - admitted * cost
  local reset = store(keys[1], tokens, capacity, rate, now)
  local retry = math.max(0, math.ceil((cost - tokens) / rate * 1000))
  return string.format('%d %d %d %d', admitted, math.floor(tokens), retry, reset)
end)

-- KEYS[1]: the bucket. ARGV[1]: "capacity tokens-per-minute tokens": takes up to so many tokens, at most half of those that
-- are left; a negative number gives tokens back. KEYS[2] names what is given back, so that a call that is repeated gives
-- nothing back twice. Returns the number of tokens taken.
redis.register_function('loci_lease', function(keys, args)
  local capacity, per_minute, wanted = string.match(args[1], '^(%d+) (%d+) (%-?%d+)$')
  capacity, wanted = tonumber(capacity), tonumber(wanted)
  if keys[2] and not redis.call('SET', keys[2], '1', 'NX', 'PX', 5000) then return '0' end
  local rate, now = tonumber(per_minute) / 60, seconds_now()
  local tokens = tokens_in(keys[1], capacity, rate, now)
  local taken = math.max(-(capacity - tokens), math.min(wanted, math.floor(tokens / 2)))
  store(keys[1], tokens - taken, capacity, rate, now)
  return string.format('%d', math.max(0, taken))
end)
