-- Serves requests from decision leases, so that most of them need no call to the policy.
--
-- The policy's answer to one request may lease tokens for the next ones: it took them from the tenant's bucket already.
-- They are valid for some hundred milliseconds, less than the time in which a revoked key must be refused. A worker keeps
-- the leases of its own in memory, by credential, and takes a token for each request that it lets pass. Whatever is not
-- exactly of the known form (path, method, one credential, scope, enough tokens in time) goes to the policy, which
-- alone can refuse: a filter that fails or knows nothing costs a call, never a decision.
--
-- One request at a time renews a lease, while the others go on with the tokens that are left; tokens add up. Tokens that
-- ran out of time unused go back to the bucket with the next renewal.

local RENEWAL_MS = 1000 -- after so long another request may try to renew: the one before may have failed
local LEASES_MAX = 20000
local leases, leases_count = {}, 0

{{ .Files.Get "files/routes.lua" }}
{{ .Files.Get "files/identity.lua" }}

-- The one credential of a request; nil when there is none, or more than one.
local function credential_of(headers)
  local bearer, key = headers:get("authorization"), headers:get("x-api-key")
  if bearer and key then return nil end
  local name = bearer and "authorization" or "x-api-key"
  if headers:getNumValues(name) ~= 1 then return nil end
  return bearer or key
end

-- The scope that a request needs and its operation; nil when its path is not of the strictly simple form, or not known.
local function route_of(headers)
  local path, method = headers:get(":path"), headers:get(":method")
  path = string.match(path, "^([/%w_-]+)$") or string.match(path, "^([/%w_-]+)%?")
  if not path then return nil end
  local methods = ROUTES[path] or ROUTES_BELOW[string.match(path, "^(.*/)[%w_-]+$") or ""]
  local route = methods and methods[method]
  if route then return route[1], route[2] end
end

local function drop_all_when_too_many()
  if leases_count < LEASES_MAX then return end
  leases, leases_count = {}, 0
end

local function is_usable(lease, scope, cost, now)
  return lease.deadline > now and lease.tokens >= cost and lease.scopes[scope]
end

-- Whether this request should ask the policy for more, though there may be tokens left.
local function should_renew(lease, now)
  if lease.renewing_since and now - lease.renewing_since < RENEWAL_MS then return false end
  return lease.tokens <= lease.size / 4
end

-- Tokens that ran out of time before they were used go back with the next renewal.
local function set_expired_aside(lease, now)
  if lease.deadline <= now then lease.unused, lease.tokens = lease.unused + lease.tokens, 0 end
end

function envoy_on_request(handle)
  local headers, metadata = handle:headers(), handle:streamInfo():dynamicMetadata()
  identify(headers, metadata)
  -- What a browser needs to be told of other origins, the policy alone knows.
  if headers:get("origin") then return end
  local credential = credential_of(headers)
  local scope, operation = route_of(headers)
  if not credential or not scope then return end
  local now = handle:timestamp()
  local lease = leases[credential]
  local cost = lease and (lease.costs[operation] or 1)
  if lease and is_usable(lease, scope, cost, now) and not should_renew(lease, now) then
    lease.tokens = lease.tokens - cost
    for name, value in pairs(lease.headers) do headers:replace(name, value) end
    metadata:set("loci", "leased", true)
    metadata:set("envoy.filters.http.ext_authz", "x-loci-operation", operation) -- for the access log
    metadata:set("loci", "credential", credential)
    return
  end
  if lease and lease.renewing_since and now - lease.renewing_since < RENEWAL_MS then return end
  local unused = 0
  if lease then
    lease.renewing_since = now
    set_expired_aside(lease, now)
    unused, lease.unused = lease.unused, 0
  end
  headers:replace("x-loci-lease", tostring(unused))
  metadata:set("loci", "credential", credential)
end

-- "tokens milliseconds limit remaining reset upstream tenant key-id scopes ingress-token costs rate-limit-policy"
local LEASE = "^(%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.+)$"

local function keep(credential, text, now)
  local tokens, ms, limit, remaining, reset, upstream, tenant, key_id, scopes, token, costs, policy
    = string.match(text, LEASE)
  if not tokens then return end
  local lease = leases[credential]
  if not lease then
    drop_all_when_too_many()
    leases_count = leases_count + 1
    lease = { tokens = 0, unused = 0, deadline = 0, costs = {} }
    leases[credential] = lease
  end
  set_expired_aside(lease, now)
  lease.tokens = lease.tokens + tonumber(tokens)
  lease.size = lease.tokens
  lease.deadline = now + tonumber(ms)
  lease.renewing_since = nil
  lease.limit, lease.remaining, lease.policy = limit, tonumber(remaining), policy
  lease.full_at = now / 1000 + tonumber(reset)
  lease.scopes = {}
  for scope in string.gmatch(scopes, "%a+") do lease.scopes[scope] = true end
  lease.costs = {}
  for name, cost in string.gmatch(costs, "([%l_]+)=(%d+)") do lease.costs[name] = tonumber(cost) end
  lease.headers = {
    ["x-loci-upstream"] = upstream,
    ["x-loci-tenant"] = tenant,
    ["x-loci-key-id"] = key_id,
    ["x-loci-scopes"] = scopes,
    ["x-loci-ingress-token"] = token,
  }
end

-- The headers that the policy adds to the answers of its own decisions.
local function tell_rate(headers, lease, now)
  local remaining = tostring(lease.remaining + lease.tokens)
  local reset = math.max(0, math.ceil(lease.full_at - now / 1000))
  headers:replace("ratelimit-policy", lease.policy)
  headers:replace("ratelimit", '"burst";r=' .. remaining .. ";t=" .. reset)
  headers:replace("x-ratelimit-limit", lease.limit)
  headers:replace("x-ratelimit-remaining", remaining)
  headers:replace("x-ratelimit-reset", tostring(math.ceil(lease.full_at)))
end

function envoy_on_response(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local own = metadata:get("loci")
  if not own or not own.credential then return end
  local lease, now = leases[own.credential], handle:timestamp()
  if own.leased then
    if lease then tell_rate(handle:headers(), lease, now) end
    return
  end
  local decided = metadata:get("envoy.filters.http.ext_authz")
  local text = decided and decided["loci-lease"]
  if text then
    keep(own.credential, text, now)
  elseif lease then
    lease.renewing_since = nil
  end
end
