//! What `/v1/verify` reads and writes. Unknown and repeated fields are refused, so that no two readers of a body can
//! understand it differently.

use std::{borrow::Cow, fmt, marker::PhantomData};

use countersign_model::{
    catalog::Catalog,
    change::Seq,
    decision::{Decision, Denied},
    id::RequestId,
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::http::data_plane::{
    facts::{AccountFacts, RateFacts, TokenFacts, missing_scope, scope_id},
    version_notice::VersionNotice,
};

/// A body: one ask, or a list of them.
pub struct Body<'b> {
    /// The list.
    pub asks: Option<Vec<AskBody<'b>>>,
    /// The one ask.
    pub one: AskBody<'b>,
}

/// One ask. It holds a credential, so it cannot be printed.
pub struct AskBody<'b> {
    /// The value of the `Authorization` header; `None` where the request had none.
    pub authorization: Option<Cow<'b, str>>,
    /// The method.
    pub method: Option<Cow<'b, str>>,
    /// The original URI in origin form.
    pub uri: Option<Cow<'b, str>>,
    /// The client's address.
    pub client_address: Option<Cow<'b, str>>,
    /// The host of the request, for the assertion; nothing is decided by it.
    pub host: Option<Cow<'b, str>>,
    /// The version asked for; `None` for the token's own.
    pub api_version: Option<u16>,
    /// A scope instead of method and URI.
    pub scope: Option<Cow<'b, str>>,
    /// The change the answer must not be older than.
    pub min_seq: Option<u64>,
}

/// Both forms of a body in one: serde cannot refuse unknown fields of flattened structures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'b> {
    #[serde(borrow, default)]
    asks: Option<Vec<Object<Written<'b>>>>,
    #[serde(borrow, default)]
    authorization: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    method: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    client_address: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    host: Option<Cow<'b, str>>,
    #[serde(default)]
    api_version: Option<u16>,
    #[serde(borrow, default)]
    scope: Option<Cow<'b, str>>,
    #[serde(default)]
    min_seq: Option<u64>,
}

/// A JSON object and nothing else. Serde alone would also take a list of values in the order of the fields.
struct Object<T>(T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'b> Body<'b> {
    /// Reads a body. `Ok(None)`: asks stand inside of asks.
    pub fn read(bytes: &'b [u8]) -> Result<Option<Self>, serde_json::Error> {
        let Object(mut written) = serde_json::from_slice::<Object<Written<'b>>>(bytes)?;
        let asks = written.asks.take();
        if asks.iter().flatten().any(|Object(ask)| ask.asks.is_some()) {
            return Ok(None);
        }
        let asks = asks.map(|asks| asks.into_iter().map(|Object(ask)| ask.one()).collect());
        Ok(Some(Self { asks, one: written.one() }))
    }
}

impl AskBody<'_> {
    /// Whether nothing is in it.
    pub fn is_blank(&self) -> bool {
        let texts =
            [&self.authorization, &self.method, &self.uri, &self.client_address, &self.host, &self.scope];
        texts.iter().all(|text| text.is_none()) && self.api_version.is_none() && self.min_seq.is_none()
    }
}

impl<'b> Written<'b> {
    fn one(self) -> AskBody<'b> {
        let Self { asks: _, authorization, method, uri, client_address, host, api_version, scope, min_seq } =
            self;
        AskBody { authorization, method, uri, client_address, host, api_version, scope, min_seq }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// The answers of a batch, in the order of the asks.
#[derive(Serialize)]
pub struct Verdicts<'a> {
    /// One for each ask.
    pub verdicts: Vec<Verdict<'a>>,
}

/// The answer to one ask.
#[derive(Serialize)]
pub struct Verdict<'a> {
    allowed: bool,
    /// `allowed`, or the code of the denial.
    code: &'static str,
    /// The status a gateway would answer with.
    status: u16,
    /// What to do, where it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    /// The scope that matched, or the one that is missing.
    scope: Option<&'a str>,
    /// The version in effect.
    api_version: Option<u16>,
    /// What the caller is to be told of the age of that version, as the values of the header fields of these names;
    /// absent where it has no dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_notice: Option<VersionNotice>,
    token: Option<TokenFacts<'a>>,
    account: Option<AccountFacts<'a>>,
    rate_limit: Option<RateFacts>,
    /// The signed assertion for the back end, where the gateway has an audience and the ask names a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    assertion: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_secs: Option<u32>,
    /// The answer holds every change up to this one.
    seq: u64,
    request_id: RequestId,
}

impl<'a> Verdict<'a> {
    /// The answer that tells a decision. `catalog` names the scope a denial speaks of.
    pub fn of(decision: &'a Decision, catalog: Option<&'a Catalog>, seq: Seq, id: RequestId) -> Self {
        let blank = Self {
            allowed: false,
            code: "unavailable",
            status: 503,
            detail: None,
            scope: None,
            api_version: None,
            version_notice: None,
            token: None,
            account: None,
            rate_limit: None,
            assertion: None,
            retry_after_secs: None,
            seq: seq.0,
            request_id: id,
        };
        match decision {
            Decision::Allow(allowed) => Self {
                allowed: true,
                code: "allowed",
                status: 200,
                scope: allowed.scope.and_then(|scope| scope_id(&allowed.catalog, scope)),
                api_version: Some(allowed.api_version.0),
                version_notice: VersionNotice::of(allowed),
                token: Some(TokenFacts::of(&allowed.token)),
                account: Some(AccountFacts::of(&allowed.account)),
                rate_limit: allowed.rate.map(RateFacts::of),
                ..blank
            },
            Decision::Deny(denied) => Self::denial(denied, catalog, blank),
            Decision::Unavailable(reason) => Self { code: reason.code(), retry_after_secs: Some(1), ..blank },
        }
    }

    /// The same with an assertion.
    #[must_use]
    pub fn with_assertion(self, assertion: Option<String>) -> Self {
        Self { assertion, ..self }
    }

    fn denial(denied: &'a Denied, catalog: Option<&'a Catalog>, blank: Self) -> Self {
        Self {
            code: denied.denial.code(),
            status: denied.denial.http_status(),
            detail: Some(denied.denial.advice()),
            scope: missing_scope(catalog, &denied.denial),
            token: denied.token.as_ref().map(TokenFacts::of),
            account: denied.account.as_deref().map(AccountFacts::of),
            retry_after_secs: denied.denial.retry_after_secs(),
            ..blank
        }
    }
}
