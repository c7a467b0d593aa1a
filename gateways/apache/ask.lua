-- Asks Countersign about the request Apache holds: an access hook of mod_lua, over LuaSocket. Whatever is not a true
-- allow of Countersign is a refusal: no answer, a late, broken or empty one, an error in here. README.md has the reasons.
--
-- Fill in the names between at signs, by hand or with `countersign gateway config`:
--   DATA_PLANE_HOST, DATA_PLANE_PORT   Countersign's data plane                    127.0.0.1, 8471
--   GATEWAY                            the name of this gateway in Countersign     edge

local socket = require "socket"

local HOST, PORT = "@DATA_PLANE_HOST@", @DATA_PLANE_PORT@
local DOOR = "/v1/forward-auth/@GATEWAY@"
-- A late answer is no answer, in seconds; the largest answer and the largest question, in bytes.
local WITHIN, ANSWER_MAX, QUESTION_MAX = 2, 65536, 15000

-- Who calls: every name is set or removed, so that nothing a client sent under it goes on.
local IDENTITY = {
    "X-Countersign-Account", "X-Countersign-Account-Kind", "X-Countersign-Sid", "X-Countersign-Scope",
    "X-Countersign-Api-Version", "X-Countersign-Request-Id", "X-Countersign-Assertion",
}
-- For the caller.
local TOLD = {
    "X-Request-Id", "WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy", "Deprecation", "Sunset", "Link",
}
-- What a question must not repeat: it has no body, and is a request of its own.
local OWN = {
    ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
    ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
    ["x-original-method"] = true, ["x-original-uri"] = true, ["x-original-address"] = true,
}
-- The statuses that are Countersign's to say; everything else it might say is an outage.
local REFUSALS = { [400] = true, [401] = true, [403] = true, [429] = true, [503] = true }

-- What `Connection` may say of itself. Any other word is the name of a header, and mod_proxy would leave that header out:
-- also one that this file sets.
local OF_CONNECTION = { ["close"] = true, ["keep-alive"] = true, ["te"] = true, ["upgrade"] = true, ["http2-settings"] = true }

-- The connection to Countersign, one for each Lua state, kept from question to question.
local kept

-- Names with `_`, `.` or other odd characters are dropped: `X_Countersign_Sid` must reach nobody.
local function drop_odd_names(r)
    for name in pairs(r:headers_in_table()) do
        if name:find("[^A-Za-z0-9-]") then
            r.headers_in[name] = nil
        end
    end
end

local function names_a_header(r)
    for word in (r.headers_in["Connection"] or ""):gmatch("[^,%s]+") do
        if not OF_CONNECTION[word:lower()] then
            return true
        end
    end
    return false
end

local function question(r)
    local lines = {
        "GET " .. DOOR .. " HTTP/1.1",
        -- As the back end gets it, with its port: an assertion names it.
        "Host: " .. (r.headers_in["Host"] or r.hostname or "none"),
        "X-Original-Method: " .. r.method,
        "X-Original-URI: " .. r.unparsed_uri,
        "X-Original-Address: " .. r.useragent_ip,
    }
    for name, value in pairs(r:headers_in_table()) do
        if not OWN[name:lower()] then
            lines[#lines + 1] = name .. ": " .. value
        end
    end
    local text = table.concat(lines, "\r\n") .. "\r\n\r\n"
    -- More than Countersign reads of a header is the client's fault, not an outage.
    return #text <= QUESTION_MAX and text or nil
end

-- Reads one whole answer: its status and its headers, by lower-case name; or nothing.
local function answer(connection, left)
    local text = ""
    local function more()
        if #text >= ANSWER_MAX or not socket.select({ connection }, nil, left())[1] then
            return false
        end
        connection:settimeout(0)
        local data, problem, part = connection:receive(ANSWER_MAX - #text)
        local got = data or part or ""
        text = text .. got
        -- An answer may come together with the end of its connection.
        return got ~= "" or problem == "timeout"
    end
    local head_ends
    repeat
        head_ends = select(2, text:find("\r\n\r\n", 1, true))
    until head_ends or not more()
    local status = text:match("^HTTP/1%.1 (%d%d%d) ")
    if not head_ends or not status then
        return nil
    end
    local headers = {}
    for name, value in text:sub(1, head_ends):gmatch("\r\n([%w-]+):[ \t]*([^\r\n]-)[ \t]*%f[\r]") do
        headers[name:lower()] = value
    end
    local length = tonumber(headers["content-length"] or "")
    if not length or length % 1 ~= 0 or length < 0 then
        return nil
    end
    while #text < head_ends + length do
        if not more() then
            return nil
        end
    end
    local stays = headers["connection"] ~= "close" and #text == head_ends + length
    return tonumber(status), headers, stays
end

-- One question on one connection, and its answer; nothing where there is none.
local function exchange(connection, is_new, text, left)
    connection:settimeout(left(), "t")
    if is_new and not connection:connect(HOST, PORT) then
        return nil
    end
    connection:settimeout(left(), "t")
    if connection:send(text) then
        return answer(connection, left)
    end
end

local function ask(r, text)
    local ends = socket.gettime() + WITHIN
    local function left()
        return math.max(ends - socket.gettime(), 0)
    end
    -- A kept connection may have been closed meanwhile; then once more with a new one.
    for _, connection in ipairs({ kept or false, false }) do
        local is_new = not connection
        connection = connection or socket.tcp()
        -- Kept again only after a whole answer: what is left unread, also by an error in here, would answer somebody else.
        kept = nil
        local ran, status, headers, stays = pcall(exchange, connection, is_new, text, left)
        if ran and status then
            if stays then
                kept = connection
            else
                connection:close()
            end
            return status, headers
        end
        connection:close()
        if is_new then
            return nil
        end
    end
end

-- The hook.
function countersign(r)
    drop_odd_names(r)
    local text = question(r)
    local coding = r.headers_in["Transfer-Encoding"]
    if not text or names_a_header(r) or (coding and coding:lower() ~= "chunked") then
        return 400
    end
    local status, headers = ask(r, text)
    headers = headers or {}
    for _, name in ipairs(TOLD) do
        if headers[name:lower()] and (status == 200 or REFUSALS[status]) then
            r.err_headers_out[name] = headers[name:lower()]
        end
    end
    local id = headers["x-countersign-request-id"] or ""
    if status == 200 and id:find("^req_[0-9a-z]+$") then
        for _, name in ipairs(IDENTITY) do
            local value = headers[name:lower()] or ""
            r.headers_in[name] = value ~= "" and value or nil
        end
        return apache2.OK
    end
    if REFUSALS[status] then
        return status
    end
    r.err_headers_out["Retry-After"] = "1"
    return 503
end

-- The hook of "Who am I?", which is forwarded: under its own name only, not under one that Apache would mend; and with the
-- credential and the address that are set for it, which `Connection` could take away again.
function whoami(r)
    drop_odd_names(r)
    return r.unparsed_uri:match("^[^?]*") == "/whoami" and not names_a_header(r) and apache2.OK or 400
end
