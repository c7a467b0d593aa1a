//! What a probe of a gateway looks at, and what it may say of it: the words the command line, the API and the console
//! share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing a probe looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeCheck {
    /// Nobody without a good credential reaches the back end, on any path, by any method.
    Credentials,
    /// Nothing a client says about who it is reaches the back end.
    IdentityHeaders,
    /// Nothing a client says about its own request changes what is decided about.
    QuestionHeaders,
    /// Headers that make some back ends see another method do not reach it.
    MethodOverride,
    /// What a client claims its address to be is not believed.
    ClientAddress,
    /// The Auth Token reaches the back end only where that was chosen.
    CredentialForwarded,
    /// Countersign stopped, silent, resetting, failing or talking nonsense: nothing passes.
    Outage,
    /// A late answer is no answer, and the caller is told in time.
    LateAnswers,
    /// 400, 401, 403, 429 and 503 reach the caller as they are, with their headers.
    Statuses,
    /// No answer of Countersign is kept and used again.
    Caching,
    /// Paths that two programs could read differently do not pass; what passes is not rewritten.
    Paths,
    /// Requests whose end two programs could see in different places hide no other request.
    Framing,
    /// HTTP/2 is no way around what HTTP/1.1 refuses.
    Http2,
    /// Every decision has an id of its own, which caller and back end are told.
    RequestIds,
    /// A disabled token is refused by the next request, also on a connection that is kept.
    Revocation,
    /// Questions share connections.
    KeptConnections,
}

/// What a probe says of one thing it looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeVerdict {
    /// Nothing was found.
    Shut,
    /// Something was found.
    Found,
    /// It was not looked at: something needed was not given.
    NotChecked,
}

impl ProbeCheck {
    /// All of them, in the order they are run.
    pub const ALL: [Self; 16] = [
        Self::Credentials,
        Self::IdentityHeaders,
        Self::QuestionHeaders,
        Self::MethodOverride,
        Self::ClientAddress,
        Self::CredentialForwarded,
        Self::RequestIds,
        Self::Paths,
        Self::Framing,
        Self::Http2,
        Self::Caching,
        Self::Statuses,
        Self::Outage,
        Self::LateAnswers,
        Self::Revocation,
        Self::KeptConnections,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::IdentityHeaders => "identity_headers",
            Self::QuestionHeaders => "question_headers",
            Self::MethodOverride => "method_override",
            Self::ClientAddress => "client_address",
            Self::CredentialForwarded => "credential_forwarded",
            Self::Outage => "outage",
            Self::LateAnswers => "late_answers",
            Self::Statuses => "statuses",
            Self::Caching => "caching",
            Self::Paths => "paths",
            Self::Framing => "framing",
            Self::Http2 => "http2",
            Self::RequestIds => "request_ids",
            Self::Revocation => "revocation",
            Self::KeptConnections => "kept_connections",
        }
    }
}

impl fmt::Display for ProbeCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ProbeVerdict {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shut => "shut",
            Self::Found => "found",
            Self::NotChecked => "not_checked",
        }
    }
}
