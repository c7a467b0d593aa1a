//! Tokens on the wire, as answers have them. Digests and sealed secrets have no field here.

use countersign_model::{actor::Actor, lifetime::ExpiryRule, rate::RateLimit as Rate};
use countersign_store::Secret as KeptSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Moment, words},
    ops::{
        secrets::Shown,
        tokens::{Answer, EffectiveState, TokenView, Told},
    },
};

/// A token in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenSummary {
    /// Its id.
    #[schema(value_type = words::TokenId)]
    pub id: String,
    /// The Account SID: the user name in HTTP Basic.
    #[schema(value_type = words::Sid)]
    pub sid: String,
    /// Its name; unique in the account ignoring case.
    #[schema(value_type = words::TokenName)]
    pub name: String,
    /// Its description.
    #[schema(value_type = words::Description)]
    pub description: String,
    /// Whether it works, as far as the token itself decides.
    pub state: TokenState,
    /// Its API version.
    #[schema(value_type = words::ApiVersion)]
    pub api_version: u16,
    /// The newest version, where that is newer than its own.
    #[schema(value_type = Option<words::ApiVersion>)]
    pub upgrade_available: Option<u16>,
    /// The dates of its version; absent where the catalog no longer has it.
    pub version: Option<VersionDates>,
    /// The member who answers for it; absent for legacy credentials.
    pub primary_contact: Option<TokenContact>,
    /// Addresses that hear of it.
    #[schema(value_type = Vec<words::EmailAddress>, max_items = 20)]
    pub developer_emails: Vec<String>,
    /// Who is told of what happens to it, each address once, and whether it reaches them.
    #[schema(max_items = 21)]
    pub told: Vec<ToldView>,
    /// How many scopes it holds, retired ones too.
    pub scopes_count: usize,
    /// How many of its scopes only read; retired ones count nowhere here.
    pub reads: usize,
    /// How many of its scopes do more than read.
    pub writes: usize,
    /// From when it is expired, as it says itself.
    pub expires_at: Option<Moment>,
    /// From when it is expired in fact: by its own expiry, or earlier by a maximum lifetime. Absent: never.
    pub effective_expires_at: Option<Moment>,
    /// What sets the end in fact.
    pub expiry_set_by: Option<ExpirySetBy>,
    /// From where it may be used; empty: from everywhere.
    #[schema(value_type = Vec<words::Network>, max_items = 50)]
    pub addresses: Vec<String>,
    /// Its own rate limit.
    pub rate_limit: Option<TokenRateLimit>,
    /// What may be said of its secret.
    pub secret: SecretFacts,
    /// The old secret, while both work.
    pub previous_secret: Option<PreviousSecret>,
    /// The token that made it.
    #[schema(value_type = Option<words::TokenId>)]
    pub made_by: Option<String>,
    /// When it was created.
    pub created_at: Moment,
    /// Who created it.
    pub created_by: TokenActor,
    /// When it was last changed.
    pub updated_at: Moment,
    /// Who changed it.
    pub updated_by: TokenActor,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Moment>,
    /// From where it was last used.
    pub last_used_from: Option<String>,
    /// The number of its edit: what the ETag says, and what `If-Match` sends back.
    pub edit: u64,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// What lists have of it, too.
    #[serde(flatten)]
    pub summary: TokenSummary,
    /// The ids of its scopes, retired ones too.
    #[schema(value_type = Vec<words::CatalogId>)]
    pub scopes: Vec<String>,
    /// Those of its scopes that the catalog no longer has: they grant nothing and cannot be given any more.
    #[schema(value_type = Vec<words::CatalogId>)]
    pub retired_scopes: Vec<String>,
}

/// Whether a token works, as far as the token itself decides.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// It works.
    Enabled,
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
}

/// What sets the end of a token's life.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpirySetBy {
    /// Its own expiry.
    Token,
    /// The maximum lifetime of its account.
    Account,
    /// The maximum lifetime of the platform.
    Platform,
}

/// The dates of an API version.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDates {
    /// When it was published.
    pub released_at: Option<Moment>,
    /// From when callers are told to move on.
    pub deprecated_at: Option<Moment>,
    /// From when it is refused.
    pub sunset_at: Option<Moment>,
    /// Where the change notes are.
    pub notes_url: Option<String>,
}

/// The member who answers for a token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenContact {
    /// Their id.
    #[schema(value_type = words::UserId)]
    pub id: String,
    /// Their name.
    #[schema(value_type = words::PersonName)]
    pub name: String,
    /// Their address.
    #[schema(value_type = words::EmailAddress)]
    pub email: String,
}

/// Somebody who is told of what happens to a token.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldView {
    /// Their address.
    #[schema(value_type = words::EmailAddress)]
    pub address: String,
    /// `contact` or `developer`.
    #[schema(value_type = ToldKind)]
    pub kind: &'static str,
    /// Whether it reaches them.
    #[schema(value_type = HearsWord)]
    pub state: &'static str,
}

/// As what somebody is told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the words of a field to readers of the document")]
pub enum ToldKind {
    /// The primary contact.
    Contact,
    /// A developer address.
    Developer,
}

/// Whether what is told reaches an address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the words of a field to readers of the document")]
pub enum HearsWord {
    /// It does.
    Confirmed,
    /// It has not said yes: it is not told yet.
    Unconfirmed,
    /// A mail server refused it for good.
    Bounced,
    /// It is a member's who may not sign in.
    Inactive,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct TokenRateLimit {
    /// How many requests.
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 1000)]
    pub requests: u32,
    /// In how many seconds.
    #[schema(minimum = 1, maximum = 2_678_400, example = 3600)]
    pub window_secs: u32,
}

/// What may be said of a secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretFacts {
    /// Its last four characters; empty where only a digest was imported.
    #[schema(max_length = 4)]
    pub last4: String,
    /// Counts the secrets of the token, from 1.
    pub generation: u32,
    /// When it was made.
    pub created_at: Option<Moment>,
    /// Whether a secret that works has fewer than 112 bits: only imported ones can.
    pub weak: bool,
    /// Whether it can be shown again.
    pub recoverable: bool,
}

/// The old secret of an overlap, and whether anybody still uses it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviousSecret {
    /// Its last four characters.
    #[schema(max_length = 4)]
    pub last4: String,
    /// From when it no longer works.
    pub ends_at: Moment,
    /// How often it was used since the overlap began.
    pub uses: u64,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Moment>,
    /// From where it was last used.
    pub last_used_from: Option<String>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenActor {
    /// `user`, `operator`, `token`, `platform`, `cli`, `system` or `anonymous`.
    #[schema(value_type = words::ActorKind)]
    pub kind: &'static str,
    /// Their id, where that kind has one.
    pub id: Option<String>,
}

/// A token after a change, with its secret where one was made.
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// The token as it is now.
    pub token: Token,
    /// The change from which on it is so; `min_seq` of a verification.
    pub seq: u64,
    /// The Auth Token, where one was made: shown here once. `null` where it cannot be shown.
    pub secret: Option<String>,
    /// Why the secret cannot be shown and what to do, where one was made and cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_unavailable_reason: Option<&'static str>,
    /// Tokens it had made that were changed with it.
    #[schema(value_type = Vec<words::TokenId>)]
    pub made_by_it: Vec<String>,
}

/// The secret of an answer in its two fields.
pub(in crate::http) fn shown_fields(shown: Option<Shown>) -> (Option<String>, Option<&'static str>) {
    match shown {
        Some(Shown::Secret(secret)) => (Some(secret.expose().to_owned()), None),
        Some(Shown::Unavailable(reason)) => (None, Some(reason.advice())),
        None => (None, None),
    }
}

impl From<Answer> for TokenAnswer {
    fn from(answer: Answer) -> Self {
        let (secret, secret_unavailable_reason) = shown_fields(answer.shown);
        Self {
            token: answer.view.into(),
            seq: answer.seq.0,
            secret,
            secret_unavailable_reason,
            made_by_it: answer.made_by_it.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<TokenView> for Token {
    fn from(mut view: TokenView) -> Self {
        let held = std::mem::take(&mut view.scopes);
        let retired_scopes =
            held.iter().filter(|scope| scope.retired).map(|scope| scope.id.clone()).collect();
        let scopes = held.into_iter().map(|scope| scope.id).collect();
        Self { summary: view.into(), scopes, retired_scopes }
    }
}

impl From<TokenView> for TokenSummary {
    fn from(view: TokenView) -> Self {
        let TokenView {
            told,
            token,
            contact,
            state,
            version,
            upgrade_available,
            weak_secret,
            recoverable,
            ..
        } = view;
        let (expiry, reads, writes) = (view.expiry, view.reads, view.writes);
        let current = token.secrets.first();
        Self {
            id: token.id.to_string(),
            sid: token.sid.to_string(),
            name: token.name.to_string(),
            description: token.description.as_str().to_owned(),
            state: state.into(),
            api_version: token.api_version.0,
            upgrade_available: upgrade_available.map(|version| version.0),
            version: version.map(|plan| VersionDates {
                released_at: plan.released_at.map(Moment),
                deprecated_at: plan.deprecated_at.map(Moment),
                sunset_at: plan.sunset_at.map(Moment),
                notes_url: plan.notes_url,
            }),
            primary_contact: contact.map(|contact| TokenContact {
                id: contact.id.to_string(),
                name: contact.name.as_str().to_owned(),
                email: contact.email.to_string(),
            }),
            developer_emails: token.developer_emails.iter().map(ToString::to_string).collect(),
            told: told.into_iter().map(ToldView::from).collect(),
            scopes_count: token.access.scopes().map_or(0, countersign_model::scope::ScopeSet::len),
            reads,
            writes,
            expires_at: token.expires_at.map(Moment),
            effective_expires_at: expiry.map(|expiry| Moment(expiry.at)),
            expiry_set_by: expiry.map(|expiry| expiry.set_by.into()),
            addresses: token.addresses.networks().iter().map(ToString::to_string).collect(),
            rate_limit: token.rate_limit.map(TokenRateLimit::from),
            secret: SecretFacts {
                last4: current.map(|secret| secret.last4.clone()).unwrap_or_default(),
                generation: current.map_or(0, |secret| secret.generation),
                created_at: current.map(|secret| Moment(secret.created_at)),
                weak: weak_secret,
                recoverable,
            },
            previous_secret: token.secrets.get(1).and_then(previous),
            made_by: token.made_by.map(|maker| maker.to_string()),
            created_at: Moment(token.created_at),
            created_by: token.created_by.into(),
            updated_at: Moment(token.updated_at),
            updated_by: token.updated_by.into(),
            last_used_at: token.last_used_at.map(Moment),
            last_used_from: token.last_used_from,
            edit: token.edit,
        }
    }
}

fn previous(old: &KeptSecret) -> Option<PreviousSecret> {
    Some(PreviousSecret {
        last4: old.last4.clone(),
        ends_at: Moment(old.ends_at?),
        uses: old.uses,
        last_used_at: old.last_used_at.map(Moment),
        last_used_from: old.last_used_from.clone(),
    })
}

impl From<ExpiryRule> for ExpirySetBy {
    fn from(rule: ExpiryRule) -> Self {
        match rule {
            ExpiryRule::Token => Self::Token,
            ExpiryRule::Account => Self::Account,
            ExpiryRule::Platform => Self::Platform,
        }
    }
}

impl From<Told> for ToldView {
    fn from(told: Told) -> Self {
        Self {
            address: told.address.to_string(),
            kind: if told.is_contact { "contact" } else { "developer" },
            state: told.hears.as_str(),
        }
    }
}

impl From<EffectiveState> for TokenState {
    fn from(state: EffectiveState) -> Self {
        match state {
            EffectiveState::Enabled => Self::Enabled,
            EffectiveState::Disabled => Self::Disabled,
            EffectiveState::Expired => Self::Expired,
        }
    }
}

impl From<Rate> for TokenRateLimit {
    fn from(rate: Rate) -> Self {
        Self { requests: rate.requests(), window_secs: rate.window_secs() }
    }
}

impl From<Actor> for TokenActor {
    fn from(actor: Actor) -> Self {
        let (kind, id) = match actor {
            Actor::User(id) => ("user", Some(id.to_string())),
            Actor::Operator(id) => ("operator", Some(id.to_string())),
            Actor::Token(id) => ("token", Some(id.to_string())),
            Actor::Platform(id) => ("platform", Some(id.to_string())),
            Actor::Cli => ("cli", None),
            Actor::System => ("system", None),
            Actor::Anonymous => ("anonymous", None),
        };
        Self { kind, id }
    }
}
