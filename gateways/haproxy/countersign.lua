-- Asks Countersign about the request HAProxy holds. haproxy.cfg lets a request through only where this set
-- txn.countersign_status to "200"; whatever goes wrong here leaves it unset, and unset is 503.
-- README.md has the reason for every line.

local question = "http://@DATA_PLANE@/v1/forward-auth/@GATEWAY@"
-- HAProxy asks up to four times: two seconds together. A late answer is no answer.
local wait_ms = 500

-- Headers that belong to the client's connection or body, and not to the question.
local not_asked = {
    ["content-length"] = true,
    ["transfer-encoding"] = true,
    ["expect"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["x-forwarded-for"] = true,
}

-- What the answer tells: the back end who calls, the caller how it stands.
local told = {
    "x-countersign-account",
    "x-countersign-account-kind",
    "x-countersign-sid",
    "x-countersign-scope",
    "x-countersign-api-version",
    "x-countersign-assertion",
    "x-request-id",
    "www-authenticate",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "deprecation",
    "sunset",
    "link",
}

-- The one line of a header; nothing where there is none or more than one.
local function only(headers, name)
    local lines = headers[name]
    if lines and lines[0] and not lines[1] then
        return lines[0]
    end
end

local function ask(txn)
    local headers = {}
    -- Every line of every header goes along, so that Countersign sees a header that came twice.
    for name, lines in pairs(txn.http:req_get_headers()) do
        if not not_asked[name] then
            headers[name] = {}
            for index = 0, #lines do
                headers[name][index + 1] = lines[index]
            end
        end
    end
    headers["x-original-method"] = { txn.f:method() }
    headers["x-original-uri"] = { txn.f:pathq() }
    headers["x-original-address"] = { txn.f:src() }
    headers["x-countersign-gateway"] = { txn:get_var("proc.countersign_credential") }

    local answer = core.httpclient():get({ url = question, headers = headers, timeout = wait_ms })
    if not answer or not answer.headers then
        return
    end
    -- What has no request id of Countersign was said by somebody else.
    local id = only(answer.headers, "x-request-id")
    if not id or not id:match("^req_[0-9a-z]+$") then
        return
    end
    for _, name in ipairs(told) do
        local value = only(answer.headers, name)
        if value and value ~= "" then
            txn:set_var("txn." .. name:gsub("-", "_"), value)
        end
    end
    txn:set_var("txn.countersign_status", tostring(answer.status))
end

core.register_action("countersign", { "http-req" }, ask)
