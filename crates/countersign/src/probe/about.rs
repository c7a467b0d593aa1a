//! What each check looks at, why it matters and how to mend what it finds, for every kind of gateway: a table of text.

mod directives;

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
    /// What does it in each of [`KINDS`].
    by_kind: &'static [&'static str; KINDS.len()],
}

impl About {
    /// What mends it in this kind of gateway.
    pub fn of_kind(&self, kind: Option<&str>) -> Option<&'static str> {
        let mut directives = KINDS.iter().zip(self.by_kind);
        directives.find(|(known, _)| Some(**known) == kind).map(|(_, directive)| *directive)
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
    by_kind: &directives::CREDENTIALS,
};

const IDENTITY_HEADERS: About = About {
    looks_at: "Clients that say who they are, in every spelling of the identity headers",
    matters: "The back end would take the client's word for the caller, the scope or the account.",
    mend: "Remove every X-Countersign-* header of the client in every spelling, set those of the decision, also empty ones, \
           and drop names with `_` or `.`.",
    by_kind: &directives::IDENTITY_HEADERS,
};

const QUESTION_HEADERS: About = About {
    looks_at: "Clients that name another method, path or gateway in the headers the question is made of",
    matters: "Countersign would decide about another request than the back end gets.",
    mend: "Set every header of the gateway's profile in the question yourself, from the request line and nothing else.",
    by_kind: &directives::QUESTION_HEADERS,
};

const METHOD_OVERRIDE: About = About {
    looks_at: "Headers by which some back ends take another method or path than the request line has",
    matters: "A token that may only read could write.",
    mend: "Remove X-HTTP-Method-Override, X-HTTP-Method, X-Method-Override, X-Original-URL and X-Rewrite-URL towards the back end.",
    by_kind: &directives::METHOD_OVERRIDE,
};

const CLIENT_ADDRESS: About = About {
    looks_at: "Clients that claim another address, in X-Forwarded-For and everything like it",
    matters: "A token that may be used from some addresses only could be used from everywhere, and logs would name the innocent.",
    mend: "Take the client's address from the connection, or from the right of the list as many steps as there are proxies of \
           your own. Replace X-Forwarded-For, never append what clients may write.",
    by_kind: &directives::CLIENT_ADDRESS,
};

const CREDENTIAL_FORWARDED: About = About {
    looks_at: "Whether the back end gets the Auth Token or the gateway's credential",
    matters: "Who has no secret cannot lose it.",
    mend: "Remove Authorization towards the back end, or say with --back-end-needs-credential that it is wanted; the gateway's \
           own credential must never get there.",
    by_kind: &directives::CREDENTIAL_FORWARDED,
};

const OUTAGE: About = About {
    looks_at: "Countersign stopped, hanging, resetting, answering errors, nothing or nonsense",
    matters: "Whoever can disturb Countersign would be let in.",
    mend: "Let only a whole answer of status 200 with a request id pass. Everything else is 503.",
    by_kind: &directives::OUTAGE,
};

const LATE_ANSWERS: About = About {
    looks_at: "Countersign slow beyond every time limit",
    matters: "Requests pile up in the gateway, and a time limit that ends in `allow` is a door.",
    mend: "Wait two seconds for the answer, then say 503.",
    by_kind: &directives::LATE_ANSWERS,
};

const STATUSES: About = About {
    looks_at: "Whether 400, 401, 403, 429 and 503 reach the caller with their headers",
    matters: "Callers that are told the wrong thing do the wrong thing: they try again where they must not, or give up.",
    mend: "Pass these statuses on, with WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, Deprecation, Sunset and Link.",
    by_kind: &directives::STATUSES,
};

const CACHING: About = About {
    looks_at: "Whether an answer of Countersign is used for more than one request",
    matters: "An answer kept for a second is a revocation a second late; one kept by path is everybody's.",
    mend: "Ask for every request, and keep nothing.",
    by_kind: &directives::CACHING,
};

const PATHS: About = About {
    looks_at: "Paths with //, dot segments, encoded slashes and dots, ;, backslashes, and other case",
    matters: "Where gateway, Countersign and back end read a path differently, one of them guards another resource.",
    mend: "Send the request target to Countersign and to the back end as it came, byte for byte, and refuse what Countersign refuses.",
    by_kind: &directives::PATHS,
};

const FRAMING: About = About {
    looks_at: "Requests with two lengths, odd codings, bare line feeds and folded headers, with another request inside",
    matters: "The hidden request would reach the back end without a decision.",
    mend: "Use a current gateway with its strict parser; refuse requests with both Content-Length and Transfer-Encoding.",
    by_kind: &directives::FRAMING,
};

const HTTP2: About = About {
    looks_at: "The same requests over HTTP/2, where the gateway speaks it",
    matters: "A second protocol with rules of its own is a second door.",
    mend: "Put the same rules before every listener and every protocol, or turn HTTP/2 off.",
    by_kind: &directives::HTTP2,
};

const REQUEST_IDS: About = About {
    looks_at: "Whether caller and back end are told the id of the decision, and only Countersign's",
    matters: "Without it nobody finds the decision behind a complaint; one a client may choose can be made to lie.",
    mend: "Copy X-Request-Id of the answer to X-Countersign-Request-Id towards the back end and to X-Request-Id towards the caller.",
    by_kind: &directives::REQUEST_IDS,
};

const REVOCATION: About = About {
    looks_at: "The next request after a token was disabled, on a new connection and on one that is kept",
    matters: "A token that was taken away must be of no use from that moment.",
    mend: "Ask for every request, not for every connection, and keep no answer.",
    by_kind: &directives::REVOCATION,
};

const KEPT_CONNECTIONS: About = About {
    looks_at: "Whether questions share connections",
    matters: "A connection for every question costs more than the question, and a busy gateway runs out of ports.",
    mend: "Keep connections to Countersign alive.",
    by_kind: &directives::KEPT_CONNECTIONS,
};
