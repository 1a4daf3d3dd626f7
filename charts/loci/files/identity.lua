-- The identity of a request: its id and its W3C trace context. Callers' ids are kept when they are safe to log; the same
-- rules are in foundation/loci_runtime/requests.py.
--
-- Envoy has put the caller's id into `x-loci-asked-id` and an id of its own, a random UUID, into `x-request-id`. If this
-- filter fails, the generated id stays: a caller's id that was not checked is never logged.

local ID_MAX, SECRET_LENGTH, CREDENTIAL_MIN = 128, 39, 8

-- Whether a text holds an API key: at the start of a word, or anywhere if it is complete.
local function holds_key(text)
  if string.find("." .. text, "[^%w]sk%-") then return true end
  for secret in string.gmatch(text, "sk%-%l[-%l%d]*%-(%w+)") do
    if #secret == SECRET_LENGTH then return true end
  end
  return false
end

local function holds_credential(text, headers)
  for _, name in ipairs({ "authorization", "x-api-key" }) do
    local sent = headers:get(name)
    local credential = sent and string.match(sent, "(%S+)%s*$")
    if credential and #credential >= CREDENTIAL_MIN and string.find(text, credential, 1, true) then return true end
  end
  return false
end

-- An id is a token (RFC 9110) of at most 128 characters that holds no credential.
local function is_safe_id(text, headers)
  return #text <= ID_MAX and string.find(text, "^[%w!#$%%&'*+.^_`|~-]+$") and not holds_key(text)
    and not holds_credential(text, headers)
end

local function is_trace_parent(text)
  local version, trace, span, flags = string.match(text, "^(%x%x)%-(%x+)%-(%x+)%-(%x%x)")
  if not version or #trace ~= 32 or #span ~= 16 or string.find(text, "%u") then return false end
  if version == "ff" or not string.find(trace, "[^0]") or not string.find(span, "[^0]") then return false end
  return #text == 55 or (version ~= "00" and string.sub(text, 56, 56) == "-")
end

-- Keep the caller's trace context if it is valid, else start a trace; its ids come from the generated request id.
local function keep_or_make_trace(headers, generated)
  local sent = headers:get("traceparent")
  if sent and headers:getNumValues("traceparent") == 1 and is_trace_parent(sent) then return sent end
  local digits = string.gsub(generated, "-", "")
  local made = "00-" .. digits .. "-" .. string.sub(digits, 17) .. "-01"
  headers:replace("traceparent", made)
  headers:remove("tracestate")
  return made
end

local function identify(headers, metadata)
  local generated, asked = headers:get("x-request-id"), headers:get("x-loci-asked-id")
  local trace_parent = keep_or_make_trace(headers, generated)
  metadata:set("loci", "trace_id", string.sub(trace_parent, 4, 35))
  if not asked then return end
  headers:remove("x-loci-asked-id")
  if is_safe_id(asked, headers) then headers:replace("x-request-id", asked) end
end
