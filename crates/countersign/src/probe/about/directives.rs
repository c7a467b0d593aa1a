//! What mends a finding of each check in each kind of gateway, in the words of its configuration and in the order of
//! [`KINDS`](super::KINDS). The recipes in `gateways/` have all of it.

/// One for each kind.
type Directives = [&'static str; super::KINDS.len()];

const EXT_AUTHZ_FIRST: &str = "ext_authz before the router filter; only /whoami has it disabled";
const STRIP_EARLY: &str = "early_header_mutation: remove_on_match of x-countersign- and of every name with other characters than a-z, \
                           0-9 and -; headers_with_underscores_action: REJECT_REQUEST";
const REMOVE_OVERRIDES: &str = "early_header_mutation: remove: x-http-method-override, and its neighbours";
const OWN_ADDRESS: &str = "use_remote_address: true; xff_num_trusted_hops: the number of your own proxies; remove x-forwarded-* early";
const REMOVE_AUTHORIZATION: &str = "request_headers_to_remove: [authorization] on the route of the back end";
const FAIL_CLOSED: &str = "failure_mode_allow: false; status_on_error: ServiceUnavailable; only x-countersign-request-id: req_… is \
                           routed to the back end";
const NO_CACHE_FILTER: &str = "no cache filter before ext_authz";
const KEEP_PATHS: &str =
    "normalize_path: false; merge_slashes: false; path_with_escaped_slashes_action: KEEP_UNCHANGED";
const NO_CHUNKED_LENGTH: &str = "no allow_chunked_length";
const ONE_LISTENER: &str = "codec_type: AUTO on the one listener with all filters";
const EVERY_REQUEST: &str =
    "ext_authz is a filter of requests; none in the network filter chain instead of it";

pub(super) const CREDENTIALS: Directives = [
    "auth_request /countersign-ask; in every location that passes to the back end",
    "http-request lua.countersign without a condition but for /whoami, before every use_backend",
    "the reverse_proxy that asks before every other one, outside of any matcher but /whoami",
    "the forwardAuth middleware on every router but /whoami",
    EXT_AUTHZ_FIRST,
    EXT_AUTHZ_FIRST,
    "LuaHookAccessChecker countersign in <LocationMatch \"^/(?!whoami$)\">, and no ProxyPass beside it",
];

pub(super) const IDENTITY_HEADERS: Directives = [
    "proxy_set_header X-Countersign-… for each name; underscores_in_headers off; ignore_invalid_headers on",
    "http-request del-header x-countersign- -m beg and [^a-z0-9-] -m reg, before the decision's own are set",
    "request_header -X-Countersign*, -X_*, -X.*, -X~* and -Connection, before anybody is asked",
    "authResponseHeaders with every name; aliasHeadersStrategy: reject at the entry point",
    STRIP_EARLY,
    STRIP_EARLY,
    "the hook drops odd names, refuses a `Connection` that names a header, and sets or removes every identity header",
];

pub(super) const QUESTION_HEADERS: Directives = [
    "proxy_set_header X-Original-Method $request_method; X-Original-URI $request_uri; X-Original-Address $remote_addr",
    "build the question from `method`, `pathq` and `src` only",
    "header_up X-Forwarded-Method {method}, X-Forwarded-Uri {uri}; no trusted_proxies that clients can reach",
    "trustForwardHeader: false; entryPoints.….forwardedHeaders.insecure: false",
    "path_prefix: /v1/forward-auth/NAME; no client header but the request's own is read by the profile",
    "the profile envoy_grpc: method and path come from the attributes, not from headers",
    "the hook writes X-Original-Method, -URI and -Address itself and repeats none that a client sent",
];

pub(super) const METHOD_OVERRIDE: Directives = [
    "proxy_set_header X-HTTP-Method-Override \"\"; and its neighbours",
    "http-request del-header X-HTTP-Method-Override, and its neighbours",
    "request_header -X-HTTP*, -X-Method* and -X-Rewrite*",
    "a headers middleware with customRequestHeaders: X-HTTP-Method-Override: \"\", and its neighbours",
    REMOVE_OVERRIDES,
    REMOVE_OVERRIDES,
    "RequestHeader unset X-HTTP-Method-Override, and its neighbours",
];

pub(super) const CLIENT_ADDRESS: Directives = [
    "X-Original-Address $remote_addr; set_real_ip_from only for your own proxies",
    "src; http-request del-header x-forwarded- -m beg before X-Forwarded-For is set",
    "no trusted_proxies, or only your own; request_header -X-Forwarded-*",
    "forwardedHeaders.trustedIPs: only your own proxies; never insecure",
    OWN_ADDRESS,
    OWN_ADDRESS,
    "RequestHeader set X-Forwarded-For \"expr=%{REMOTE_ADDR}\"; RemoteIPTrustedProxy only for your own proxies",
];

pub(super) const CREDENTIAL_FORWARDED: Directives = [
    "proxy_set_header Authorization \"\"; proxy_set_header X-Countersign-Gateway \"\"",
    "http-request del-header Authorization, after the decision",
    "request_header -Authorization in handle_response @allowed",
    "a headers middleware after forwardAuth with customRequestHeaders: Authorization: \"\", X-Countersign-Gateway: \"\"",
    REMOVE_AUTHORIZATION,
    REMOVE_AUTHORIZATION,
    "RequestHeader unset Authorization; RequestHeader unset X-Countersign-Gateway",
];

pub(super) const OUTAGE: Directives = [
    "the map to $countersign_allowed_to, and error_page 500 = @countersign_refused",
    "http-request return status 503 unless the script said 200",
    "error 503 in handle_response for all but @allowed and @refused, and for @foreign, which has no request id",
    "the router of the back end with HeaderRegexp(`X-Countersign-Request-Id`, `^req_`), and one to nowhere beside it",
    FAIL_CLOSED,
    FAIL_CLOSED,
    "return 503 at the end of the hook; apache2.OK only for 200 with a request id",
];

pub(super) const LATE_ANSWERS: Directives = [
    "proxy_read_timeout 2s; proxy_connect_timeout 2s in the location of the question",
    "wait_ms in countersign.lua; four tries of 500 ms",
    "transport http { response_header_timeout 2s dial_timeout 2s } where it asks",
    "the plugin with within: 2s before forwardAuth, which itself waits 30 seconds",
    "http_service.server_uri.timeout: 2s",
    "grpc_service.timeout: 2s",
    "WITHIN = 2 in ask.lua; timeout=2 connectiontimeout=2 where /whoami is forwarded",
];

pub(super) const STATUSES: Directives = [
    "auth_request_set and the named location of error_page 500; add_header … always",
    "http-request return status …, one for each status, and http-after-response set-header for each header",
    "respond \"\" {rp.status_code} with copy_response_headers in handle_response @refused and @allowed",
    "forwardAuth passes other answers by itself; no errors middleware over them; the plugin with tell for an allow",
    "allowed_client_headers and allowed_client_headers_on_success with these names; a local_reply_config that keeps the statuses",
    "a local_reply_config that keeps 400, 401, 403 and 429",
    "return the status in the hook, and r.err_headers_out for each of these names",
];

pub(super) const CACHING: Directives = [
    "proxy_cache off; in the location of the question",
    "no cache-use on the way of the question, no map or stick table of allowed callers",
    "no cache handler before the question",
    "no cache plugin before forwardAuth",
    NO_CACHE_FILTER,
    NO_CACHE_FILTER,
    "no mod_cache quick handler (CacheQuickHandler off), no AuthnCache or table of answers in the hook",
];

pub(super) const PATHS: Directives = [
    "proxy_pass without a path; X-Original-URI $request_uri; merge_slashes off",
    "no http-request normalize-uri, no set-path before the question",
    "no uri or rewrite before the question; header_up X-Forwarded-Uri {uri}",
    "no path middleware before forwardAuth; sanitizePath and encodedCharacters as in the recipe",
    KEEP_PATHS,
    KEEP_PATHS,
    "ProxyPassMatch without a path of its own and with nocanon; AllowEncodedSlashes NoDecode; MergeSlashes Off",
];

pub(super) const FRAMING: Directives = [
    "a current nginx; no proxy_request_buffering off before an old back end",
    "no option accept-invalid-http-request",
    "a current Caddy, which has no lax parser",
    "a current Traefik, which has no lax parser",
    NO_CHUNKED_LENGTH,
    NO_CHUNKED_LENGTH,
    "HttpProtocolOptions Strict",
];

pub(super) const HTTP2: Directives = [
    "auth_request in the server that listens with http2, as in the other",
    "the same frontend for both protocols",
    "protocols h1 h2 h2c on the one site; or h1 alone",
    "the same routers at every entry point",
    ONE_LISTENER,
    ONE_LISTENER,
    "Protocols h2c http/1.1 in the one <VirtualHost>; or http/1.1 alone",
];

pub(super) const REQUEST_IDS: Directives = [
    "auth_request_set $countersign_request_id $upstream_http_x_request_id, and add_header X-Request-Id … always",
    "http-request set-header X-Countersign-Request-Id and http-after-response set-header X-Request-Id, from the script",
    "request_header X-Countersign-Request-Id {rp.header.X-Countersign-Request-Id}; copy_response_headers X-Request-Id",
    "X-Countersign-Request-Id among authResponseHeaders; X-Request-Id there and in tell of the plugin",
    "allowed_upstream_headers with x-countersign-; allowed_client_headers_on_success with x-request-id",
    "response_headers_to_add: x-request-id: %REQ(X-COUNTERSIGN-REQUEST-ID)% on the route",
    "X-Countersign-Request-Id among the names the hook sets, X-Request-Id among those it tells",
];

pub(super) const REVOCATION: Directives = [
    "proxy_cache off; auth_request in the location, not in a map that is kept",
    "http-request lua.countersign, not tcp-request; no stick table of allowed callers",
    "no cache handler before the question",
    "forwardAuth on the router; no cache plugin before it",
    EVERY_REQUEST,
    EVERY_REQUEST,
    "LuaHookAccessChecker, which runs for every request; nothing kept in the Lua state but the connection",
];

pub(super) const KEPT_CONNECTIONS: Directives = [
    "keepalive 32 in the upstream; proxy_http_version 1.1; proxy_set_header Connection \"\"",
    "the connection pool of the HTTP client, which needs no `Connection: close` in the question",
    "keepalive and keepalive_idle_conns_per_host in the transport; no keepalive off",
    "forwardAuth keeps its connections by itself; nothing between it and Countersign that closes them",
    "no max_requests_per_connection at the cluster of Countersign",
    "http2_protocol_options at the cluster of Countersign",
    "LuaScope server: the hook keeps one connection in each Lua state",
];
