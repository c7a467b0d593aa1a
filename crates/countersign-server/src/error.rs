//! The one error of the server's boundary. It knows no transport: `http` renders it as problem details (RFC 9457),
//! gRPC will as a status. What an outage was is logged once, here, and has no road into an answer.

use std::fmt;

use countersign_model::actor::Permission;
use countersign_store::{Conflict, Error as StoreError};
use serde_json::{Map, Value};

/// What kind of refusal it is; a transport maps it to its own status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 400: the request cannot be read.
    Malformed,
    /// 401: we do not know you.
    Unauthenticated,
    /// 403: we know you, and no.
    Forbidden,
    /// 404: there is no such thing, as far as you may know.
    NotFound,
    /// 405: not with this method.
    MethodNotAllowed,
    /// 409: it contradicts what is there.
    Conflict,
    /// 412: somebody else was first.
    Stale,
    /// 413: too large.
    TooLarge,
    /// 415: not JSON.
    NotJson,
    /// 422: the request can be read, and a field is wrong.
    Invalid,
    /// 428: say what you saw first.
    PreconditionRequired,
    /// 429: too many.
    TooMany,
    /// 500: a failure of ours.
    Internal,
    /// 503: not now.
    Unavailable,
}

/// A refusal or failure, complete for a person: what is wrong and what to do next.
#[derive(Debug, Clone)]
pub struct Error {
    /// What kind.
    pub kind: Kind,
    /// Stable code: `name_taken`.
    pub code: &'static str,
    /// What is wrong and what to do next. Never internals, never secrets.
    pub detail: String,
    /// The field at fault, as a path: `developer_emails[2]`.
    pub field: Option<String>,
    /// Seconds to wait, where waiting helps.
    pub retry_after_secs: Option<u32>,
    /// Further members of the problem, such as the current state after a 412.
    pub extra: Map<String, Value>,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), field: None, retry_after_secs: None, extra: Map::new() }
    }

    /// The same, naming the field at fault.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, with seconds to wait.
    #[must_use]
    pub fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// The same, with a further member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// A field is wrong.
    pub fn invalid(field: impl Into<String>, detail: impl fmt::Display) -> Self {
        let field = field.into();
        Self::new(Kind::Invalid, "field_invalid", format!("{field}: {detail}")).at_field(field)
    }

    /// The request cannot be read.
    pub fn malformed(detail: impl fmt::Display) -> Self {
        Self::new(Kind::Malformed, "request_malformed", detail.to_string())
    }

    /// There is no such thing, as far as the caller may know. The same words for "not there" and "not yours".
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "not_found", "There is nothing here that you may see; check the id.")
    }

    /// Nobody is signed in.
    pub fn unauthenticated() -> Self {
        Self::new(
            Kind::Unauthenticated,
            "sign_in_required",
            "Sign in, or send a credential in the Authorization header.",
        )
    }

    /// The person's role lacks a permission.
    pub fn permission_missing(permissions: &[Permission]) -> Self {
        let names: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        let detail = format!(
            "Your role lacks the permission {}; an administrator of the account can give you a role that has it.",
            names.join(" or ")
        );
        Self::new(Kind::Forbidden, "permission_missing", detail).with("permissions", names)
    }

    /// For operators only.
    pub fn operators_only() -> Self {
        Self::new(Kind::Forbidden, "operators_only", "Only operators of the platform may do this.")
    }

    /// A failure of ours. What it was goes to the log, not to the caller.
    pub fn internal(what: &str, cause: &dyn fmt::Display) -> Self {
        tracing::error!(what, %cause, "internal failure");
        Self::new(
            Kind::Internal,
            "internal",
            "Something failed on our side; try again, and tell the operator the request id.",
        )
    }

    /// An outage of ours.
    pub fn unavailable(what: &str, cause: &dyn fmt::Display) -> Self {
        tracing::error!(what, %cause, "unavailable");
        Self::new(
            Kind::Unavailable,
            "unavailable",
            "The service cannot do this right now; nothing was changed. Try again shortly.",
        )
        .retry_after(1)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(conflict) => conflict.into(),
            StoreError::Busy => Self::new(
                Kind::Unavailable,
                "busy",
                "Too many changes are waiting; nothing was changed. Try again shortly.",
            )
            .retry_after(1),
            StoreError::Unavailable(cause) => Self::unavailable("store", &cause),
            StoreError::Corrupt(cause) => Self::internal("store", &cause),
        }
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        let kind = match conflict {
            Conflict::Stale => Kind::Stale,
            Conflict::CodeSpent => Kind::Forbidden,
            Conflict::KeyReplaced => Kind::Unavailable,
            Conflict::ContactNotMember => Kind::Invalid,
            _ => Kind::Conflict,
        };
        let (code, field, detail) = words(conflict);
        let error = Self::new(kind, code, detail);
        let error = if kind == Kind::Unavailable { error.retry_after(1) } else { error };
        if field.is_empty() { error } else { error.at_field(field) }
    }
}

/// Code, field (or none), and what to do next.
fn words(conflict: Conflict) -> (&'static str, &'static str, &'static str) {
    match conflict {
        Conflict::NameTaken => {
            ("name_taken", "name", "Another token of the account has this name; choose another.")
        }
        Conflict::SidTaken => {
            ("sid_taken", "sid", "This Account SID is or was in use and is never issued again.")
        }
        Conflict::SecretTaken => ("secret_taken", "secret", "This secret is in use by another token."),
        Conflict::LegacyExists => ("legacy_exists", "", "The account has its legacy tokens already."),
        Conflict::TokenLimit => (
            "token_limit",
            "",
            "The account has as many tokens as it may; delete one, or ask the operator for a higher limit.",
        ),
        Conflict::ExternalIdTaken => {
            ("external_id_taken", "external_id", "Another account has this external id; choose another.")
        }
        Conflict::EmailTaken => ("email_taken", "email", "Another person has this e-mail address."),
        Conflict::AlreadyMember => {
            ("already_member", "email", "This person is a member already; change their role instead.")
        }
        Conflict::LastAdministrator => (
            "last_administrator",
            "",
            "The account would be left without an Account Administrator; make somebody else one first.",
        ),
        Conflict::LastOperator => (
            "last_operator",
            "",
            "The platform would be left without an operator; make somebody else one first.",
        ),
        Conflict::PrimaryContact => (
            "primary_contact",
            "successor",
            "This person is the primary contact of tokens; name a successor.",
        ),
        Conflict::GatewayNameTaken => ("name_taken", "name", "This name is in use; choose another."),
        Conflict::IdempotencyKeyTaken => (
            "idempotency_key_in_use",
            "",
            "A request with this Idempotency-Key is being handled; ask again for its answer.",
        ),
        Conflict::Stale => {
            ("stale", "", "Somebody else changed this first; load it again and repeat your change.")
        }
        Conflict::WebhookLimit => {
            ("webhook_limit", "", "There are as many webhooks as there may be; delete one first.")
        }
        Conflict::RotationRunning => {
            ("rotation_running", "", "A rotation of keys runs already; wait until it has ended.")
        }
        Conflict::KeyReplaced => (
            "keys_rotating",
            "",
            "The keys, or what is kept of secrets, changed at this moment; nothing was done. Try again.",
        ),
        Conflict::CodeSpent => {
            ("code_spent", "code", "This code was used, or is too old; ask for a new one.")
        }
        Conflict::ContactNotMember => {
            ("contact_not_member", "primary_contact", "The primary contact must be a member of the account.")
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Error {}
