//! What each check looks at, why it matters and how to mend what it finds, for every kind of gateway: a table of text.

use countersign_model::probe::ProbeCheck;

/// The kinds of gateways there is advice for in their own words.
pub const KINDS: [&str; 7] = ["nginx", "haproxy", "caddy", "traefik", "envoy", "envoy-grpc", "apache"];

/// What a person is told of a check.
#[derive(Debug)]
pub struct About {
    /// What it looks at.
    pub looks_at: &'static str,
    /// Why it matters.
    pub matters: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// Kinds of gateways and what does it there.
    pub by_kind: &'static [(&'static str, &'static str)],
}

impl About {
    /// What mends it in this kind of gateway.
    pub fn of_kind(&self, kind: Option<&str>) -> Option<&'static str> {
        self.by_kind.iter().find(|(known, _)| Some(*known) == kind).map(|(_, directive)| *directive)
    }
}

/// The texts of a check.
pub fn about(check: ProbeCheck) -> &'static About {
    match check {
        ProbeCheck::Credentials => &CREDENTIALS,
        ProbeCheck::IdentityHeaders => &IDENTITY_HEADERS,
        ProbeCheck::QuestionHeaders => &QUESTION_HEADERS,
        ProbeCheck::MethodOverride => &METHOD_OVERRIDE,
        ProbeCheck::ClientAddress => &CLIENT_ADDRESS,
        ProbeCheck::CredentialForwarded => &CREDENTIAL_FORWARDED,
        ProbeCheck::Outage => &OUTAGE,
        ProbeCheck::LateAnswers => &LATE_ANSWERS,
        ProbeCheck::Statuses => &STATUSES,
        ProbeCheck::Caching => &CACHING,
        ProbeCheck::Paths => &PATHS,
        ProbeCheck::Framing => &FRAMING,
        ProbeCheck::Http2 => &HTTP2,
        ProbeCheck::RequestIds => &REQUEST_IDS,
        ProbeCheck::Revocation => &REVOCATION,
        ProbeCheck::KeptConnections => &KEPT_CONNECTIONS,
    }
}

const CREDENTIALS: About = About {
    looks_at: "Requests without a good credential, on many paths and by many methods",
    matters: "Whoever finds a path without the question needs no token.",
    mend: "Ask before every request, on every path and by every method. Public paths belong to another listener.",
    by_kind: &[
        ("nginx", "auth_request /countersign-ask; in every location that passes to the back end"),
        ("haproxy", "http-request lua.… without a condition, before every use_backend"),
        ("caddy", "forward_auth before every reverse_proxy, outside of any matcher"),
        ("traefik", "the forwardAuth middleware on every router"),
        ("envoy", "ext_authz before the router filter; no route with it disabled"),
        ("envoy-grpc", "ext_authz before the router filter; no route with it disabled"),
        ("apache", "LuaHookAccessChecker outside of any <Location>"),
    ],
};

const IDENTITY_HEADERS: About = About {
    looks_at: "Clients that say who they are, in every spelling of the identity headers",
    matters: "The back end would take the client's word for the caller, the scope or the account.",
    mend: "Remove every X-Countersign-* header of the client in every spelling, set those of the decision, also empty ones, \
           and drop names with `_` or `.`.",
    by_kind: &[
        (
            "nginx",
            "proxy_set_header X-Countersign-… for each name; underscores_in_headers off; ignore_invalid_headers on",
        ),
        (
            "haproxy",
            "http-request del-header ^x[^a-z0-9]countersign -m reg, before the decision's own are set",
        ),
        ("caddy", "request_header -X-Countersign-* and a refusal of names with _ or ., before forward_auth"),
        (
            "traefik",
            "authResponseHeaders with every name, and a middleware that removes the spellings with _",
        ),
        (
            "envoy",
            "headers_with_underscores_action: REJECT_REQUEST and removal of x-countersign-* before ext_authz",
        ),
        (
            "envoy-grpc",
            "headers_with_underscores_action: REJECT_REQUEST and removal of x-countersign-* before ext_authz",
        ),
    ],
};

const QUESTION_HEADERS: About = About {
    looks_at: "Clients that name another method, path or gateway in the headers the question is made of",
    matters: "Countersign would decide about another request than the back end gets.",
    mend: "Set every header of the gateway's profile in the question yourself, from the request line and nothing else.",
    by_kind: &[
        (
            "nginx",
            "proxy_set_header X-Original-Method $request_method; X-Original-URI $request_uri; X-Original-Address $remote_addr",
        ),
        ("haproxy", "build the question from `method`, `pathq` and `src` only"),
        (
            "caddy",
            "header_up X-Forwarded-Method {method}, X-Forwarded-Uri {uri}; no trusted_proxies that clients can reach",
        ),
        ("traefik", "trustForwardHeader: false; entryPoints.….forwardedHeaders.insecure: false"),
        (
            "envoy",
            "path_prefix with the original path; no client header among allowed_headers that the profile reads",
        ),
    ],
};

const METHOD_OVERRIDE: About = About {
    looks_at: "Headers by which some back ends take another method or path than the request line has",
    matters: "A token that may only read could write.",
    mend: "Remove X-HTTP-Method-Override, X-HTTP-Method, X-Method-Override, X-Original-URL and X-Rewrite-URL towards the back end.",
    by_kind: &[
        ("nginx", "proxy_set_header X-HTTP-Method-Override \"\"; and its neighbours"),
        ("haproxy", "http-request del-header x-http-method-override; and its neighbours"),
        ("caddy", "request_header -X-HTTP-Method-Override, and its neighbours"),
        ("traefik", "a headers middleware with customRequestHeaders: X-HTTP-Method-Override: \"\""),
        ("envoy", "request_headers_to_remove: [x-http-method-override, …]"),
        ("envoy-grpc", "request_headers_to_remove: [x-http-method-override, …]"),
    ],
};

const CLIENT_ADDRESS: About = About {
    looks_at: "Clients that claim another address, in X-Forwarded-For and everything like it",
    matters: "A token that may be used from some addresses only could be used from everywhere, and logs would name the innocent.",
    mend: "Take the client's address from the connection, or from the right of the list as many steps as there are proxies of \
           your own. Replace X-Forwarded-For, never append what clients may write.",
    by_kind: &[
        ("nginx", "X-Original-Address $remote_addr; set_real_ip_from only for your own proxies"),
        ("haproxy", "src; option forwardfor only after http-request del-header x-forwarded-for"),
        ("caddy", "no trusted_proxies, or only your own"),
        ("traefik", "forwardedHeaders.trustedIPs: only your own proxies; never insecure"),
        ("envoy", "use_remote_address: true; xff_num_trusted_hops: the number of your own proxies"),
        ("envoy-grpc", "use_remote_address: true; xff_num_trusted_hops: the number of your own proxies"),
    ],
};

const CREDENTIAL_FORWARDED: About = About {
    looks_at: "Whether the back end gets the Auth Token or the gateway's credential",
    matters: "Who has no secret cannot lose it.",
    mend: "Remove Authorization towards the back end, or say with --back-end-needs-credential that it is wanted; the gateway's \
           own credential must never get there.",
    by_kind: &[
        ("nginx", "proxy_set_header Authorization \"\"; proxy_set_header X-Countersign-Gateway \"\""),
        ("haproxy", "http-request del-header authorization, after the decision"),
        ("caddy", "header_up -Authorization in reverse_proxy"),
        ("traefik", "a headers middleware after forwardAuth with customRequestHeaders: Authorization: \"\""),
        ("envoy", "request_headers_to_remove: [authorization] on the route"),
        ("envoy-grpc", "request_headers_to_remove: [authorization] on the route"),
    ],
};

const OUTAGE: About = About {
    looks_at: "Countersign stopped, hanging, resetting, answering errors, nothing or nonsense",
    matters: "Whoever can disturb Countersign would be let in.",
    mend: "Let only a whole answer of status 200 with a request id pass. Everything else is 503.",
    by_kind: &[
        ("nginx", "the map to $countersign_allowed_to, and error_page 500 = @countersign_refused"),
        ("haproxy", "http-request deny deny_status 503 unless the action said that it was allowed"),
        (
            "caddy",
            "forward_auth copies headers on 2xx only; refuse where X-Request-Id of the answer is missing",
        ),
        ("traefik", "forwardAuth without any error middleware that answers 200"),
        ("envoy", "failure_mode_allow: false; status_on_error: ServiceUnavailable"),
        ("envoy-grpc", "failure_mode_allow: false; status_on_error: ServiceUnavailable"),
    ],
};

const LATE_ANSWERS: About = About {
    looks_at: "Countersign slow beyond every time limit",
    matters: "Requests pile up in the gateway, and a time limit that ends in `allow` is a door.",
    mend: "Wait two seconds for the answer, then say 503.",
    by_kind: &[
        ("nginx", "proxy_read_timeout 2s; proxy_connect_timeout 2s in the location of the question"),
        ("haproxy", "the timeout of the HTTP client in the Lua action"),
        ("caddy", "transport http { response_header_timeout 2s dial_timeout 2s } in forward_auth"),
        ("traefik", "the time limits of forwardAuth's transport"),
        ("envoy", "http_service.server_uri.timeout: 2s"),
        ("envoy-grpc", "grpc_service.timeout: 2s"),
    ],
};

const STATUSES: About = About {
    looks_at: "Whether 400, 401, 403, 429 and 503 reach the caller with their headers",
    matters: "Callers that are told the wrong thing do the wrong thing: they try again where they must not, or give up.",
    mend: "Pass these statuses on, with WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, Deprecation, Sunset and Link.",
    by_kind: &[
        ("nginx", "auth_request_set and the named location of error_page 500; add_header … always"),
        ("haproxy", "http-request return status … hdr …, one for each status"),
        (
            "caddy",
            "forward_auth passes other answers by itself; no handle_response or handle_errors over them",
        ),
        ("traefik", "forwardAuth passes other answers by itself; no errors middleware over them"),
        ("envoy", "allowed_client_headers and allowed_client_headers_on_success with these names"),
    ],
};

const CACHING: About = About {
    looks_at: "Whether an answer of Countersign is used for more than one request",
    matters: "An answer kept for a second is a revocation a second late; one kept by path is everybody's.",
    mend: "Ask for every request, and keep nothing.",
    by_kind: &[
        ("nginx", "proxy_cache off; in the location of the question"),
        ("haproxy", "no cache-use on the way of the question, no map or stick table of allowed callers"),
        ("caddy", "no cache handler before forward_auth"),
        ("traefik", "no cache plugin before forwardAuth"),
        ("envoy", "no cache filter before ext_authz"),
        ("envoy-grpc", "no cache filter before ext_authz"),
    ],
};

const PATHS: About = About {
    looks_at: "Paths with //, dot segments, encoded slashes and dots, ;, backslashes, and other case",
    matters: "Where gateway, Countersign and back end read a path differently, one of them guards another resource.",
    mend: "Send the request target to Countersign and to the back end as it came, byte for byte, and refuse what Countersign refuses.",
    by_kind: &[
        ("nginx", "proxy_pass without a path; X-Original-URI $request_uri; merge_slashes off"),
        ("haproxy", "no http-request normalize-uri, no set-path before the question"),
        ("caddy", "no uri or rewrite before forward_auth; header_up X-Forwarded-Uri {http.request.orig_uri}"),
        (
            "traefik",
            "no path middleware before forwardAuth; sanitizePath and encodedCharacters as in the recipe",
        ),
        (
            "envoy",
            "normalize_path: false; merge_slashes: false; path_with_escaped_slashes_action: KEEP_UNCHANGED",
        ),
        (
            "envoy-grpc",
            "normalize_path: false; merge_slashes: false; path_with_escaped_slashes_action: KEEP_UNCHANGED",
        ),
    ],
};

const FRAMING: About = About {
    looks_at: "Requests with two lengths, odd codings, bare line feeds and folded headers, with another request inside",
    matters: "The hidden request would reach the back end without a decision.",
    mend: "Use a current gateway with its strict parser; refuse requests with both Content-Length and Transfer-Encoding.",
    by_kind: &[
        ("haproxy", "no option accept-invalid-http-request"),
        ("apache", "HttpProtocolOptions Strict"),
        ("envoy", "no allow_chunked_length"),
        ("envoy-grpc", "no allow_chunked_length"),
    ],
};

const HTTP2: About = About {
    looks_at: "The same requests over HTTP/2, where the gateway speaks it",
    matters: "A second protocol with rules of its own is a second door.",
    mend: "Put the same rules before every listener and every protocol, or turn HTTP/2 off.",
    by_kind: &[],
};

const REQUEST_IDS: About = About {
    looks_at: "Whether caller and back end are told the id of the decision, and only Countersign's",
    matters: "Without it nobody finds the decision behind a complaint; one a client may choose can be made to lie.",
    mend: "Copy X-Request-Id of the answer to X-Countersign-Request-Id towards the back end and to X-Request-Id towards the caller.",
    by_kind: &[
        (
            "nginx",
            "auth_request_set $countersign_request_id $upstream_http_x_request_id, and add_header X-Request-Id … always",
        ),
        ("caddy", "copy_headers X-Request-Id>X-Countersign-Request-Id, and header X-Request-Id"),
        ("envoy", "allowed_upstream_headers and allowed_client_headers_on_success with x-request-id"),
    ],
};

const REVOCATION: About = About {
    looks_at: "The next request after a token was disabled, on a new connection and on one that is kept",
    matters: "A token that was taken away must be of no use from that moment.",
    mend: "Ask for every request, not for every connection, and keep no answer.",
    by_kind: &[("nginx", "proxy_cache off; auth_request in the location, not in a map that is kept")],
};

const KEPT_CONNECTIONS: About = About {
    looks_at: "Whether questions share connections",
    matters: "A connection for every question costs more than the question, and a busy gateway runs out of ports.",
    mend: "Keep connections to Countersign alive.",
    by_kind: &[
        ("nginx", "keepalive 32 in the upstream; proxy_http_version 1.1; proxy_set_header Connection \"\""),
        (
            "haproxy",
            "the connection pool of the HTTP client, which needs no `Connection: close` in the question",
        ),
        ("caddy", "no keepalive off in the transport"),
    ],
};
