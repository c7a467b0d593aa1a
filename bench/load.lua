-- What wrk sends: each request with a token chosen at random from the whole list, never one hot token. The list is a
-- file of lines of one length, `SID CREDENTIAL`, mapped into memory, so that ten million tokens cost no more than ten.
--   LIST        the file
--   ASK         gateway: GET of the API with the credential; verify: POST /v1/verify; forward_auth: GET /v1/forward-auth
--   SCHEME      Bearer or Basic, in front of the credential
--   GATEWAY     the name of the gateway, CREDENTIAL its credential (verify and forward_auth)
--   PAUSE_MS    milliseconds between two requests of a connection, on average; unset: as fast as answers come
-- It prints one line of JSON at the end.
local ffi = require("ffi")
ffi.cdef [[
int open(const char *path, int flags);
void *mmap(void *address, size_t length, int protection, int flags, int file, int64_t offset);
int64_t lseek(int file, int64_t offset, int whence);
]]

local function environment(name)
    return os.getenv(name) or ""
end

local file = ffi.C.open(environment("LIST"), 0)
assert(file >= 0, "LIST cannot be read")
local length = tonumber(ffi.C.lseek(file, 0, 2))
local bytes = ffi.cast("const char *", ffi.C.mmap(nil, length, 1, 1, file, 0))
local line = 0
while bytes[line] ~= 10 do line = line + 1 end
line = line + 1
local tokens = math.floor(length / line)
local SID = 28

local random, text = math.random, ffi.string
local host = "\r\nHost: bench\r\n"
local gateway, scheme = environment("GATEWAY"), environment("SCHEME")
local proof = "X-Countersign-Gateway: " .. environment("CREDENTIAL") .. "\r\n"

-- The client behind the gateway: another address each time, all in the one network the tokens may be used from.
local function client()
    return "10." .. random(0, 255) .. "." .. random(0, 255) .. "." .. random(1, 254)
end

local asks = {}

function asks.gateway(sid, credential)
    return "GET /Advertisers/" .. sid .. "/Actions HTTP/1.1" .. host
        .. "Authorization: " .. scheme .. " " .. credential .. "\r\n\r\n"
end

function asks.verify(sid, credential)
    local body = '{"authorization":"' .. scheme .. " " .. credential .. '","method":"GET","uri":"/Advertisers/' .. sid
        .. '/Actions","client_address":"' .. client() .. '"}'
    return "POST /v1/verify HTTP/1.1" .. host .. proof
        .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function asks.forward_auth(sid, credential)
    return "GET /v1/forward-auth/" .. gateway .. " HTTP/1.1" .. host .. proof
        .. "X-Original-Method: GET\r\nX-Original-URI: /Advertisers/" .. sid .. "/Actions\r\nX-Original-Address: "
        .. client() .. "\r\nAuthorization: " .. scheme .. " " .. credential .. "\r\n\r\n"
end

local ask = assert(asks[environment("ASK")], "ASK is not known")

-- wrk calls this for each thread, in a state of its own.
function init()
    local seed = io.open("/dev/urandom", "rb")
    local a, b, c = seed:read(3):byte(1, 3)
    seed:close()
    math.randomseed(a * 65536 + b * 256 + c)
end

function request()
    local at = bytes + random(0, tokens - 1) * line
    return ask(text(at, SID), text(at + SID + 1, line - SID - 2))
end

local pause = tonumber(environment("PAUSE_MS"))
if pause then
    function delay()
        return random(0, 2 * pause)
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"refused":%d,"failed":%d,"p50":%.1f,"p99":%.1f}\n',
        summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
