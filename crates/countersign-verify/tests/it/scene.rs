//! What the tests talk about: one token of one account under the catalog of `catalog.toml`, and one ask. Everything is
//! right unless a test makes it wrong.

use std::{net::IpAddr, sync::Arc};

use crate::tested::{FailureLimit, Settings, Verifier};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    catalog::{Catalog, Numbering, compile, parse},
    change::{AccountRecord, Change, Record, SecretRecord, Seq, TokenRecord},
    credential::Authorization,
    decision::{Ask, Decision, Target},
    digest::{LookupKey, LookupKeys},
    grant::Access,
    id::{AccountId, TokenId},
    rate::RateLimit,
    scope::{Scope, ScopeSet},
    secret::SecretFormat,
    sid::Sid,
    time::{Now, Timestamp},
};

/// The moment of every ask, unless a test moves on: 2026-11-22.
pub const NOW: Now = Now { wall: Timestamp::from_unix_secs(1_795_305_600), boot_nanos: 1_000_000_000_000 };

/// When every token was created, unless a test says otherwise: 100 days before.
pub const CREATED: Timestamp = NOW.wall.plus_secs(-100 * 24 * 3600);

/// The same number of seconds later, on both clocks.
pub fn later(secs: u32) -> Now {
    Now {
        wall: NOW.wall.plus_secs(secs.into()),
        boot_nanos: NOW.boot_nanos + u64::from(secs) * 1_000_000_000,
    }
}

/// The catalog of the tests, perhaps with a text replaced, over the numbers of the unchanged one.
pub fn catalog(replace: &[(&str, &str)]) -> Arc<Catalog> {
    let source = include_str!("catalog.toml");
    let (_, numbering) = compile(&parse(source).unwrap(), &Numbering::default()).unwrap();
    let changed = replace.iter().fold(source.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the catalog has no `{from}`");
        text.replace(from, to)
    });
    Arc::new(compile(&parse(&changed).unwrap(), &numbering).unwrap().0)
}

pub fn scope(id: &str) -> Scope {
    catalog(&[]).scope_by_id(id).unwrap_or_else(|| panic!("no scope {id}")).number
}

pub fn scoped(ids: &[&str]) -> Access {
    let catalog = catalog(&[]);
    Access::Scoped(ids.iter().map(|id| catalog.scope_by_id(id).unwrap().number).collect::<ScopeSet>())
}

/// The look-up key of a pepper generation. In tests, whoever knows the number has the key.
pub fn key(generation: u16) -> LookupKey {
    LookupKey::new(generation, [u8::try_from(generation).unwrap(); 32])
}

pub fn settings() -> Settings {
    Settings { format: SecretFormat::standard(), failures: FailureLimit { per_window: 5, window_secs: 60 } }
}

/// A stored secret.
pub fn secret_record(secret: &str, generation: u32, ends_at: Option<Timestamp>) -> SecretRecord {
    peppered(secret, 1, generation, ends_at)
}

pub fn peppered(secret: &str, pepper: u16, generation: u32, ends_at: Option<Timestamp>) -> SecretRecord {
    let shape = SecretFormat::standard().shape(secret.as_bytes());
    let digest = key(pepper).digest(secret.as_bytes(), shape).unwrap();
    SecretRecord { digest, pepper, generation, ends_at }
}

/// A minted secret; the same number gives the same one.
pub fn minted(number: u64) -> String {
    let mut random = Random(number);
    SecretFormat::standard().mint(&mut |buffer| random.fill(buffer)).expose().to_owned()
}

pub fn account(number: u128, kind: &str) -> AccountRecord {
    AccountRecord {
        id: AccountId::from_u128(number),
        kind: kind.to_owned(),
        active: true,
        api_access: true,
        legacy_tokens: false,
        token_lifetime: None,
    }
}

pub fn token(
    number: u128,
    account: &AccountRecord,
    sid: &str,
    access: Access,
    secrets: Vec<SecretRecord>,
) -> TokenRecord {
    TokenRecord {
        id: TokenId::from_u128(number),
        account: account.id,
        sid: sid.parse().unwrap(),
        name: format!("Token {number}"),
        enabled: true,
        access,
        api_version: ApiVersion(2),
        expires_at: None,
        created_at: CREATED,
        addresses: AddressList::default(),
        rate_limit: None,
        access_tokens_from: None,
        secrets,
    }
}

/// A verifier of one node that knows these records as of change 1.
pub fn verifier(records: impl IntoIterator<Item = Record>) -> Verifier {
    let verifier = Verifier::new(LookupKeys::of(key(1)), settings());
    verifier.load(Seq(1), records);
    verifier.freshness().always();
    verifier
}

/// Applies a record as the next change.
pub fn apply(verifier: &Verifier, record: Record) {
    verifier.apply(&Change { seq: verifier.applied().next(), record }).unwrap();
}

pub fn basic(sid: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")))
}

pub fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

/// The code of a decision: `allow`, a denial's, or the reason why there is none.
pub fn code(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow(_) => "allow",
        Decision::Deny(denied) => denied.denial.code(),
        Decision::Unavailable(reason) => reason.code(),
    }
}

/// What an ask wants, with text for bytes.
#[derive(Clone, Debug)]
pub enum Want {
    Request { method: String, uri: String },
    Scope(String),
    Identity,
}

/// An ask that owns its parts.
#[derive(Clone, Debug)]
pub struct OwnedAsk {
    pub authorization: Option<String>,
    pub twice: bool,
    pub want: Want,
    pub version_headers: Vec<String>,
    pub client_address: Option<IpAddr>,
    pub min_seq: Option<Seq>,
}

impl OwnedAsk {
    pub fn request(authorization: String, method: &str, uri: &str) -> Self {
        Self::new(authorization, Want::Request { method: method.to_owned(), uri: uri.to_owned() })
    }

    pub fn new(authorization: String, want: Want) -> Self {
        let client_address = Some("203.0.113.5".parse().unwrap());
        Self {
            authorization: Some(authorization),
            twice: false,
            want,
            version_headers: Vec::new(),
            client_address,
            min_seq: None,
        }
    }

    pub fn code(&self, verifier: &Verifier) -> &'static str {
        code(&self.decide(verifier, NOW))
    }

    pub fn decide(&self, verifier: &Verifier, now: Now) -> Decision {
        let headers: Vec<&[u8]> = self.version_headers.iter().map(String::as_bytes).collect();
        let ask = Ask {
            authorization: match &self.authorization {
                _ if self.twice => Authorization::Many,
                Some(value) => Authorization::One(value.as_bytes()),
                None => Authorization::Absent,
            },
            target: match &self.want {
                Want::Request { method, uri } => {
                    Target::Request { method: method.as_bytes(), uri: uri.as_bytes() }
                }
                Want::Scope(id) => Target::Scope(id),
                Want::Identity => Target::Identity,
            },
            version_headers: &headers,
            client_address: self.client_address,
            min_seq: self.min_seq,
        };
        verifier.decide(&ask, now)
    }
}

/// One brand token that may retrieve ads, and the ask that does it.
#[derive(Clone)]
pub struct Scene {
    pub catalog: Arc<Catalog>,
    pub account: AccountRecord,
    pub token: TokenRecord,
    pub ask: OwnedAsk,
}

pub const SID: &str = "BR0123456789ABCDEFGHJKMNPQRS";
pub const ADS: &str = "/Advertisers/BR0123456789ABCDEFGHJKMNPQRS/Ads";

impl Scene {
    pub fn new() -> Self {
        let account = account(1, "brand");
        let secret = minted(1);
        let token =
            token(1, &account, SID, scoped(&["brand.ads.list"]), vec![secret_record(&secret, 1, None)]);
        let ask = OwnedAsk::request(basic(SID, &secret), "GET", ADS);
        Self { catalog: catalog(&[]), account, token, ask }
    }

    pub fn records(&self) -> Vec<Record> {
        vec![
            Record::Catalog(Arc::clone(&self.catalog)),
            Record::Account(Arc::new(self.account.clone())),
            Record::Token(Arc::new(self.token.clone())),
        ]
    }

    pub fn verifier(&self) -> Verifier {
        verifier(self.records())
    }

    pub fn decide(&self) -> Decision {
        self.ask.decide(&self.verifier(), NOW)
    }

    pub fn code(&self) -> &'static str {
        code(&self.decide())
    }

    pub fn uri(&mut self, uri: &str) -> &mut Self {
        if let Want::Request { uri: old, .. } = &mut self.ask.want {
            uri.clone_into(old);
        }
        self
    }

    pub fn method(&mut self, method: &str) -> &mut Self {
        if let Want::Request { method: old, .. } = &mut self.ask.want {
            method.clone_into(old);
        }
        self
    }
}

#[allow(clippy::unnecessary_wraps, reason = "it fills a field of a token, which is optional")]
pub fn rate(requests: u32, window_secs: u32) -> Option<RateLimit> {
    Some(RateLimit::new(requests, window_secs).unwrap())
}

pub fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

/// SplitMix64: numbers that look random and come again with the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
