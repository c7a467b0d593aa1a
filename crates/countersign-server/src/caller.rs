//! Who calls, from where, with which request: what every use case is told and every audit entry keeps.

use std::{net::IpAddr, sync::Arc};

use countersign_model::{
    actor::Actor,
    change::TokenRecord,
    id::{AccountId, RequestId},
    time::Timestamp,
};
use countersign_store::{AuditDraft, Outcome, Person, PlatformCredential, Session};
use serde_json::Value;

use crate::app::App;

/// Somebody who proved who they are. A door makes it; use cases only read it.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A person with a live session.
    Person {
        /// Who.
        person: Arc<Person>,
        /// Their session.
        session: Arc<Session>,
    },
    /// A live token; what it may manage is in its scopes.
    Token(Arc<TokenRecord>),
    /// A machine with a platform credential: operator rights.
    Platform(Arc<PlatformCredential>),
    /// The command line, through the unix socket or the data directory's lock: operator rights.
    Cli,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub identity: Identity,
    /// From where, as far as it may be known.
    pub address: Option<IpAddr>,
    /// The request.
    pub request_id: RequestId,
}

impl Caller {
    /// The actor of audit entries. `as_operator`: whether the person acts with operator rights here.
    pub fn actor(&self, as_operator: bool) -> Actor {
        match &self.identity {
            Identity::Person { person, .. } if as_operator => Actor::Operator(person.id),
            Identity::Person { person, .. } => Actor::User(person.id),
            Identity::Token(token) => Actor::Token(token.id),
            Identity::Platform(credential) => Actor::Platform(credential.id),
            Identity::Cli => Actor::Cli,
        }
    }

    /// The actor in words that last.
    pub fn label(&self) -> String {
        match &self.identity {
            Identity::Person { person, .. } => person.email.as_str().to_owned(),
            Identity::Token(token) => token.sid.as_str().to_owned(),
            Identity::Platform(credential) => credential.name.clone(),
            Identity::Cli => "cli".to_owned(),
        }
    }

    /// An audit entry of something done by this caller.
    pub fn audit(&self, app: &App, actor: Actor, account: Option<AccountId>, deed: Deed<'_>) -> AuditDraft {
        AuditDraft {
            at: app.clock.wall(),
            actor,
            actor_label: self.label(),
            client_address: self.address.map(|address| address.to_string()).unwrap_or_default(),
            request_id: Some(self.request_id),
            account,
            action: deed.action,
            subject: deed.subject,
            subject_label: deed.subject_label.to_owned(),
            outcome: Outcome::Done,
            before: deed.before,
            after: deed.after,
        }
    }
}

/// What was done to what; never with a secret in it.
pub struct Deed<'a> {
    /// `token.disable`
    pub action: &'static str,
    /// The id of what it was done to.
    pub subject: String,
    /// Its name.
    pub subject_label: &'a str,
    /// The fields before.
    pub before: Value,
    /// The fields after.
    pub after: Value,
}

impl Deed<'_> {
    /// An audit entry of something Countersign did by itself: nobody asked for it, and it concerns no one account.
    pub fn by_system(self, at: Timestamp) -> AuditDraft {
        AuditDraft {
            at,
            actor: Actor::System,
            actor_label: "countersign".to_owned(),
            client_address: String::new(),
            request_id: None,
            account: None,
            action: self.action,
            subject: self.subject,
            subject_label: self.subject_label.to_owned(),
            outcome: Outcome::Done,
            before: self.before,
            after: self.after,
        }
    }
}
