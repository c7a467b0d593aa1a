//! What a decision costs: nanoseconds by number of tokens, memory for a token, refusals against allows, and readers beside a
//! writer. `cargo run --release -p countersign-verify --example decide [SIZE...]`, 10 thousand, 1 million and 10 million
//! tokens unless said otherwise. Every check is on: each token has scopes, an expiry, a rate limit and one of sixteen
//! address lists. Lines that begin with `bar` are for the table of `make bench`.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures for people")]
#![allow(clippy::print_stdout, reason = "a program that measures tells what it measured")]
#![allow(clippy::disallowed_methods, reason = "and reads the clock for it")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program for developers, and rounded figures"
)]

use std::{
    hint::black_box,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_model::{
    address::AddressList,
    catalog::{Catalog, standard},
    change::{AccountRecord, Change, Record, SecretRecord, Seq, TokenRecord},
    credential::Authorization,
    decision::{Ask, Decision, Target},
    digest::{LookupKey, LookupKeys},
    grant::Access,
    id::{AccountId, TokenId},
    rate::RateLimit,
    scope::ScopeSet,
    secret::SecretFormat,
    sid::Sid,
    time::{Now, Timestamp},
};
use countersign_verify::{FailureLimit, Settings, Verifier};

const NOW: Now = Now { wall: Timestamp::from_unix_secs(1_795_305_600), boot_nanos: 1_000_000_000_000 };
/// Asks of one round. Enough that those of 10 million tokens are not in a cache when they come again.
const ASKS_MAX: u64 = 1_000_000;
const ROUNDS: usize = 7;
const TOKENS_PER_ACCOUNT: u64 = 100;
/// Different address lists.
const ADDRESS_LISTS: u64 = 16;
const CHANGES_PER_SEC: u64 = 10_000;

/// Tokens that are made from their numbers.
struct World {
    catalog: Arc<Catalog>,
    sets: Vec<ScopeSet>,
    key: LookupKey,
    format: SecretFormat,
    tokens: u64,
}

/// One request, as a gateway passes it on.
struct Request {
    authorization: String,
    uri: String,
    address: IpAddr,
}

#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Good,
    Forged,
    BadChecksum,
}

fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

impl World {
    fn new(tokens: u64) -> Self {
        let catalog = standard().unwrap();
        let (_, brand) = catalog.kind("brand").unwrap();
        let all: ScopeSet = brand.categories.iter().flat_map(|one| one.scopes.iter().copied()).collect();
        let sets =
            std::iter::once(all).chain(brand.presets.iter().map(|preset| preset.scopes.clone())).collect();
        Self { catalog, sets, key: LookupKey::new(1, [7; 32]), format: SecretFormat::standard(), tokens }
    }

    fn secret(&self, number: u64) -> String {
        let mut state = number;
        let secret = self.format.mint(&mut |buffer| {
            for chunk in buffer.chunks_mut(8) {
                state = mixed(state);
                chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
            }
        });
        secret.expose().to_owned()
    }

    fn sid(number: u64) -> Sid {
        let bits = u128::from(mixed(number)) << 64 | u128::from(mixed(!number));
        Sid::mint(*b"BR", bits.to_be_bytes())
    }

    fn account(number: u64) -> AccountRecord {
        AccountRecord {
            id: AccountId::from_u128(number.into()),
            kind: "brand".to_owned(),
            active: true,
            api_access: true,
            legacy_tokens: false,
            token_lifetime: None,
        }
    }

    fn token(&self, number: u64) -> TokenRecord {
        let secret = self.secret(number);
        let digest = self.key.digest(secret.as_bytes(), self.format.shape(secret.as_bytes())).unwrap();
        let (_, brand) = self.catalog.kind("brand").unwrap();
        let own = format!("2001:db8::{}/128", number % ADDRESS_LISTS);
        let addresses = ["2001:db8:1::/48", &own, "0.0.0.0/0"];
        TokenRecord {
            id: TokenId::from_u128(number.into()),
            account: AccountId::from_u128((number / TOKENS_PER_ACCOUNT).into()),
            sid: Self::sid(number),
            name: String::new(),
            enabled: true,
            access: Access::Scoped(self.sets[0].clone()),
            api_version: brand.latest(),
            expires_at: Some(NOW.wall.plus_secs(1_000_000 + i64::try_from(number).unwrap())),
            created_at: NOW.wall.plus_secs(-1_000_000),
            addresses: AddressList::parse(&addresses).unwrap(),
            rate_limit: Some(RateLimit::new(1_000_000_000, 1).unwrap()),
            access_tokens_from: None,
            secrets: vec![SecretRecord { digest, pepper: 1, generation: 1, ends_at: None }],
        }
    }

    fn records(&self) -> impl Iterator<Item = Record> {
        // Known lengths, as those of a snapshot are.
        let accounts = self.tokens / TOKENS_PER_ACCOUNT + 1;
        let all = accounts + 1 + self.tokens;
        (0..usize::try_from(all).unwrap()).map(move |place| match place as u64 {
            0 => Record::Catalog(Arc::clone(&self.catalog)),
            place if place <= accounts => Record::Account(Arc::new(Self::account(place - 1))),
            place => Record::Token(Arc::new(self.token(place - accounts - 1))),
        })
    }

    fn request(&self, number: u64, sort: Sort) -> Request {
        let mut secret = match sort {
            Sort::Good => self.secret(number),
            Sort::Forged | Sort::BadChecksum => self.secret(!number),
        };
        if sort == Sort::BadChecksum {
            let last = if secret.ends_with('0') { "1" } else { "0" };
            secret.replace_range(secret.len() - 1.., last);
        }
        let sid = Self::sid(number);
        Request {
            authorization: format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}"))),
            uri: format!("/Advertisers/{sid}/Actions"),
            address: IpAddr::from((mixed(number) as u32).to_be_bytes()),
        }
    }

    /// Asks whose tokens `pick` chooses by their place.
    fn requests(&self, sort: Sort, pick: impl Fn(u64) -> u64) -> Vec<Request> {
        (0..ASKS_MAX.min(self.tokens * 4)).map(|place| self.request(pick(place), sort)).collect()
    }
}

fn decide(verifier: &Verifier, request: &Request) -> Decision {
    let ask = Ask {
        authorization: Authorization::One(request.authorization.as_bytes()),
        target: Target::Request { method: b"GET", uri: request.uri.as_bytes() },
        version_headers: &[],
        client_address: Some(request.address),
        min_seq: None,
    };
    verifier.decide(&ask, NOW)
}

/// Nanoseconds this thread was on a processor: other load on the machine does not count, only what it does to caches.
fn on_processor() -> u64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse().unwrap()
}

/// Nanoseconds of one ask, and how many of them were allowed. Few requests are asked again and again: the clock of a
/// thread goes by milliseconds.
fn round(verifier: &Verifier, requests: &[Request]) -> (f64, usize) {
    let asks = requests.len().max(ASKS_MAX as usize);
    let start = on_processor();
    let allowed = requests
        .iter()
        .cycle()
        .take(asks)
        .filter(|request| matches!(black_box(decide(verifier, request)), Decision::Allow(_)))
        .count();
    ((on_processor() - start) as f64 / asks as f64, allowed)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Readers alone and beside a writer that applies 10,000 changes a second, in turns.
fn writer_ratio(world: &World, verifier: &Verifier, requests: &[Request]) -> f64 {
    let (over, writing) = (AtomicBool::new(false), AtomicBool::new(false));
    let (applied, late) = (AtomicU64::new(0), AtomicU64::new(0));
    let ratio = thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0_u64;
            while !over.load(Ordering::Relaxed) {
                let start = Instant::now();
                if writing.load(Ordering::Relaxed) {
                    for _ in 0..CHANGES_PER_SEC / 1_000 {
                        let mut token = world.token(mixed(number) % world.tokens);
                        token.enabled = number.is_multiple_of(2);
                        number += 1;
                        let record = Record::Token(Arc::new(token));
                        verifier.apply(&Change { seq: verifier.applied().next(), record }).unwrap();
                        applied.fetch_add(1, Ordering::Relaxed);
                    }
                }
                let left = Duration::from_millis(1).checked_sub(start.elapsed());
                late.fetch_add(u64::from(left.is_none()), Ordering::Relaxed);
                thread::sleep(left.unwrap_or_default());
            }
        });
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            writing.store(false, Ordering::Relaxed);
            let alone = round(verifier, requests).0;
            writing.store(true, Ordering::Relaxed);
            ratios.push(round(verifier, requests).0 / alone);
        }
        over.store(true, Ordering::Relaxed);
        median(ratios)
    });
    println!(
        "  writer: {} changes applied, {} milliseconds began late",
        applied.into_inner(),
        late.into_inner()
    );
    ratio
}

fn measure(tokens: u64) {
    let name = match tokens {
        10_000 => "10k",
        1_000_000 => "1m",
        10_000_000 => "10m",
        _ => "other",
    };
    let world = World::new(tokens);
    let failures = FailureLimit { per_window: u32::MAX, window_secs: 1 };
    let settings = Settings { failures, ..Settings::default() };
    let verifier = Verifier::new(LookupKeys::of(LookupKey::new(1, [7; 32])), settings);
    let (before, start) = (resident_bytes(), Instant::now());
    verifier.load(Seq(1), world.records());
    verifier.freshness().always();
    let bytes = (resident_bytes() - before) as f64 / tokens as f64;
    println!(
        "{tokens} tokens: made and loaded in {:.1} s, {bytes:.1} bytes a token",
        start.elapsed().as_secs_f64()
    );

    let uniform = |place: u64| mixed(place) % tokens;
    // Zipf with exponent 1: the logarithm of the rank is uniform.
    let zipf = |place: u64| {
        let uniform = (mixed(!place) >> 11) as f64 / (1_u64 << 53) as f64;
        mixed((tokens as f64).powf(uniform) as u64) % tokens
    };
    let good = world.requests(Sort::Good, uniform);
    let likely = world.requests(Sort::Good, zipf);
    let forged = world.requests(Sort::Forged, uniform);
    let broken = world.requests(Sort::BadChecksum, uniform);
    let sorts = [("uniform", &good), ("zipf", &likely), ("forged", &forged), ("bad checksum", &broken)];
    let mut took = [const { Vec::new() }; 4];
    // The first use of a secret after a report is made here, and not measured: it happens once a second at most.
    for (_, requests) in &sorts {
        round(&verifier, requests);
    }
    for _ in 0..ROUNDS {
        for (place, (_, requests)) in sorts.iter().enumerate() {
            let (nanos, allowed) = round(&verifier, requests);
            assert_eq!(allowed, if place < 2 { requests.len().max(ASKS_MAX as usize) } else { 0 });
            took[place].push(nanos);
        }
    }
    let [uniform, zipf, forged, broken] = took.map(median);
    println!(
        "  uniform {uniform:.0} ns, zipf {zipf:.0} ns, forged {forged:.0} ns, bad checksum {broken:.0} ns"
    );
    println!("bar library-{name}-ns {uniform:.0}");
    if tokens >= 10_000_000 {
        println!("bar library-{name}-zipf-ns {zipf:.0}");
        println!("bar memory-per-token-bytes {bytes:.1}");
    }
    if tokens >= 1_000_000 {
        println!("bar forged-ratio {:.2}", forged / uniform);
        println!("bar checksum-ratio {:.2}", broken / uniform);
        println!("bar writer-ratio {:.2}", writer_ratio(&world, &verifier, &good));
    }
}

fn main() {
    let sizes: Vec<u64> = std::env::args().skip(1).map(|size| size.parse().unwrap()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 1_000_000, 10_000_000] } else { sizes };
    sizes.into_iter().for_each(measure);
}
