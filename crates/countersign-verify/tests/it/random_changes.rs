//! Random changes and asks, by the verifier and by the oracle: they never disagree.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    catalog::Catalog,
    change::{Change, Record, Seq},
    decision::{Decision, Denial},
    grant::Access,
    id::TokenId,
    scope::ScopeSet,
    sid::Sid,
    time::Now,
};
use countersign_verify::{Gap, Verifier};
use proptest::{
    prelude::any,
    test_runner::{Config, TestRunner},
};

use crate::{
    oracle::{Answer, BRAND_DAYS, Known, Oracle, Presented, Query, Question, RETIRED, Refusal, Wish},
    scene::{
        self, NOW, OwnedAsk, Random, Want, account, basic, bearer, catalog, minted, secret_record, token,
    },
};

/// Two in our own form, which fit a slot, and two from elsewhere.
const SIDS: [&str; 4] = ["BR0123456789ABCDEFGHJKMNPQRS", "BRB", "BRC", "PA7ZZZZZZZZZZZZZZZZZZZZZZZZZ"];
const SCOPES: [&str; 12] = [
    "brand.ads.list",
    "brand.ads.create",
    "brand.ads.get",
    "brand.ads.search",
    "brand.ads.delete",
    "brand.ads.replace",
    "brand.reports.list",
    "brand.status.get",
    "brand.tokens.view",
    "brand.tokens.disable",
    "partner.ads.list",
    "partner.ads.create",
];
const PATHS: [&str; 9] = [
    "/Advertisers/{}/Ads",
    "/ADVERTISERS/{}/Ads",
    "/Advertisers/{}/Ads/7",
    "/Advertisers/{}/Ads/Search",
    "/Advertisers/{}/Reports",
    "/AdvertiserStatus",
    "/Mediapartners/{}/Ads",
    "/Advertisers/{}/Nothing",
    "/Advertisers/{}/Ads/",
];
const FLAWED: [(&str, Option<&str>); 3] = [
    ("/Advertisers/{}/Ads/%2E", Some("path_not_canonical")),
    ("/Advertisers//Ads", Some("path_not_canonical")),
    ("Advertisers", Some("request_malformed")),
];
const METHODS: [&str; 6] = ["GET", "GET", "HEAD", "POST", "PUT", "DELETE"];
const HEADERS: [&[&str]; 10] = [&[], &[], &[], &[], &[], &["2"], &["2"], &["3"], &["1"], &["2", "15"]];

const fn query(text: &'static str, versions: &'static [&'static str], method: Option<&'static str>) -> Query {
    Query { text, versions, method, has_secret: false }
}

const QUERIES: [Query; 12] = [
    query("", &[], None),
    query("", &[], None),
    query("", &[], None),
    query("", &[], None),
    query("", &[], None),
    query("", &[], None),
    query("page=1", &[], None),
    query("ApiVersion=3", &["3"], None),
    query("a=b&apiversion=2&APIVERSION=3", &["2", "3"], None),
    query("_method=PUT", &[], Some("PUT")),
    query("_method=PATCH", &[], Some("PATCH")),
    Query { text: "secret", versions: &[], method: None, has_secret: true },
];

/// The verifier and the oracle side by side.
struct Pair {
    verifier: Verifier,
    oracle: Oracle,
    catalogs: [Arc<Catalog>; 2],
    now: Now,
    random: Random,
    answers: Vec<&'static str>,
}

fn secret(token: usize, generation: u32) -> String {
    if generation == 2 {
        format!("imported~{token}")
    } else {
        minted(token as u64 * 10 + u64::from(generation))
    }
}

impl Pair {
    fn new() -> Self {
        let second = [
            (r#"id = "brand.ads.create""#, r#"id = "brand.unheard.of""#),
            ("POST /Advertisers/{AccountSID}/Ads\"", "POST /Advertisers/{AccountSID}/Unheard\""),
            ("requests = 2\n", "requests = 3\n"),
            ("code = \"BR\"\n", "code = \"BR\"\ntoken_lifetime_days = 3\n"),
        ];
        assert!(
            second[0].0.contains(RETIRED) && second[3].1.ends_with(&format!("= {}\n", BRAND_DAYS.unwrap()))
        );
        let catalogs = [catalog(&[]), catalog(&second)];
        let verifier = scene::verifier([Record::Catalog(Arc::clone(&catalogs[0]))]);
        Self { verifier, oracle: Oracle::new(), catalogs, now: NOW, random: Random(0), answers: Vec::new() }
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.random.below(bound) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len())].clone()
    }

    /// One step, chosen and filled by its seed.
    fn step(&mut self, seed: u64) {
        self.random = Random(seed);
        let millis = self.pick(&[0, 0, 0, 0, 0, 0, 0, 0, 300, 300, 7_000, 40_000]);
        self.now.boot_nanos += millis * 1_000_000;
        self.now.wall = countersign_model::time::Timestamp::from_unix_millis(
            self.now.wall.unix_millis() + millis.cast_signed(),
        );
        match self.random.below(24) {
            0..=3 => self.put_token(),
            4 => self.remove_token(),
            5..=7 => self.put_account(),
            8 => self.put_catalog(),
            9 => self.reload(),
            10 => self.repeat_or_skip(),
            11 => self.take_uses(),
            _ => self.ask(),
        }
    }

    fn apply(&mut self, record: Record) {
        self.oracle.seq += 1;
        assert_eq!(self.verifier.apply(&Change { seq: Seq(self.oracle.seq), record }), Ok(()));
        assert_eq!(self.verifier.applied(), Seq(self.oracle.seq));
    }

    fn put_token(&mut self) {
        self.take_uses();
        let number = self.random.below(SIDS.len());
        let owner = account(if number == 3 { 2 } else { 1 }, "any");
        let scopes: Vec<&'static str> = SCOPES.into_iter().filter(|_| !self.one_in(3)).collect();
        let numbers: ScopeSet =
            scopes.iter().map(|id| self.catalogs[0].scope_by_id(id).unwrap().number).collect();
        let scoped = Access::Scoped(numbers);
        let access =
            self.pick(&[scoped.clone(), scoped.clone(), scoped, Access::ReadWrite, Access::ReadOnly]);
        let soon = self.now.wall.plus_secs(30);
        let mut secrets = Vec::new();
        for generation in 1..=3 {
            let end = if self.one_in(3) { Some(soon) } else { None };
            if !self.one_in(6) {
                secrets.push((secret(number, generation), generation, end));
            }
        }
        let records =
            secrets.iter().map(|(text, generation, end)| secret_record(text, *generation, *end)).collect();
        let mut record = token(number as u128, &owner, SIDS[number], access, records);
        record.enabled = !self.one_in(8);
        record.expires_at = self.pick(&[None, None, None, None, None, Some(soon)]);
        // Young, or about to be two or three days old.
        record.created_at = self.pick(&[0, 0, 0, 2, 3].map(|days| soon.plus_secs(-days * 86_400)));
        record.api_version = ApiVersion(self.pick(&[2, 2, 2, 2, 3, 15, 1, 9]));
        record.rate_limit = self.pick(&[None, None, scene::rate(2, 10), scene::rate(3, 60)]);
        let list = self.pick(&[&[][..], &[], &[], &[], &[], &["203.0.113.0/24"], &["2001:db8::/32"]]);
        record.addresses = AddressList::parse(list).unwrap();
        self.apply(Record::Token(Arc::new(record.clone())));
        self.oracle.put(Known { record, scopes, secrets });
    }

    fn remove_token(&mut self) {
        self.take_uses();
        let number = self.random.below(SIDS.len());
        self.apply(Record::TokenGone(scene::sid(SIDS[number])));
        self.oracle.remove(TokenId::from_u128(number as u128));
    }

    fn put_account(&mut self) {
        let (number, kind) = self.pick(&[(1, "brand"), (2, "partner")]);
        let mut record = account(number, kind);
        record.active = !self.one_in(10);
        record.api_access = !self.one_in(10);
        record.legacy_tokens = !self.one_in(4);
        record.token_lifetime = self.pick(&[0, 0, 0, 2, 4]).try_into().ok();
        self.apply(Record::Account(Arc::new(record.clone())));
        self.oracle.accounts.retain(|old| old.id != record.id);
        self.oracle.accounts.push(record);
    }

    fn put_catalog(&mut self) {
        self.oracle.has_second_catalog = self.one_in(2);
        self.apply(Record::Catalog(Arc::clone(&self.catalogs[usize::from(self.oracle.has_second_catalog)])));
    }

    fn reload(&mut self) {
        let catalog = Arc::clone(&self.catalogs[usize::from(self.oracle.has_second_catalog)]);
        let accounts = self.oracle.accounts.iter().map(|one| Record::Account(Arc::new(one.clone())));
        let tokens = self.oracle.tokens.iter().map(|one| Record::Token(Arc::new(one.record.clone())));
        self.oracle.seq += 3;
        self.verifier
            .load(Seq(self.oracle.seq), [Record::Catalog(catalog)].into_iter().chain(accounts).chain(tokens));
    }

    fn repeat_or_skip(&mut self) {
        let (expected, ahead) = (self.oracle.seq + 1, 1 + self.random.below(5) as u64);
        let record = Record::TokenGone(scene::sid(SIDS[self.random.below(SIDS.len())]));
        let gone = |seq| Change { seq: Seq(seq), record: record.clone() };
        let gap = Gap { expected: Seq(expected), got: Seq(expected + ahead) };
        assert_eq!(self.verifier.apply(&gone(expected + ahead)), Err(gap));
        assert_eq!(self.verifier.apply(&gone(expected.saturating_sub(ahead))), Ok(()));
    }

    fn take_uses(&mut self) {
        let mut expected: BTreeMap<(Sid, u32), (u64, BTreeSet<u16>)> = BTreeMap::new();
        for (token, generation, version) in self.oracle.uses.drain(..) {
            let (uses, versions) = expected
                .entry((scene::sid(SIDS[usize::try_from(token.as_u128()).unwrap()]), generation))
                .or_default();
            *uses += 1;
            versions.extend(version);
        }
        let taken = self.verifier.take_uses(100);
        // After a change a secret may have two counters for a while; they add up.
        let mut told: BTreeMap<(Sid, u32), (u64, BTreeSet<u16>)> = BTreeMap::new();
        for one in &taken {
            let (uses, versions) = told.entry((one.sid, one.generation)).or_default();
            *uses += one.uses;
            versions.extend(one.versions.iter().map(|version| version.0));
        }
        assert_eq!(told, expected);
        let minute_ago = self.now.wall.plus_secs(-60);
        assert!(taken.iter().all(|one| one.at <= self.now.wall || one.at > minute_ago));
    }

    fn lease(&mut self, is_leased: bool) {
        self.oracle.is_leased = is_leased;
        if self.oracle.is_leased {
            self.verifier.freshness().always();
        } else {
            self.verifier.freshness().revoke();
        }
    }

    fn question(&mut self) -> Question {
        let number = self.random.below(SIDS.len());
        let sid = if self.one_in(8) { self.pick(&["BRB", "bra", "XX"]) } else { SIDS[number] };
        let generation = self.pick(&[1, 1, 1, 1, 2, 2, 3, 4]);
        let secret = secret(number, generation);
        let unreadable = self.pick(&[Presented::Nothing, Presented::Twice, Presented::Garbage]);
        let basic = Presented::Basic(sid.to_owned(), secret.clone());
        let readable = self.pick(&[basic, Presented::Bearer(secret)]);
        let presented = if self.one_in(12) { unreadable } else { readable };
        let (path, flaw) = if self.one_in(12) { self.pick(&FLAWED) } else { (self.pick(&PATHS), None) };
        let path = path.replace("{}", sid);
        let request = Wish::Request { method: self.pick(&METHODS), path, flaw, query: self.pick(&QUERIES) };
        let scope = Wish::Scope(if self.one_in(8) { "brand.nothing" } else { self.pick(&SCOPES) });
        Question {
            presented,
            wish: self.pick(&[request.clone(), request.clone(), request, scope, Wish::Identity]),
            headers: self.pick(&HEADERS).to_vec(),
            address: self.pick(&["203.0.113.5", "203.0.113.6", "198.51.100.1", ""]).parse().ok(),
            min_seq: if self.one_in(4) { Some(self.oracle.seq + u64::from(self.one_in(10))) } else { None },
        }
    }

    fn ask(&mut self) {
        let question = self.question();
        let is_leased = !self.one_in(40);
        self.lease(is_leased);
        // The same again and again, so that limits are reached.
        for _ in 0..self.pick(&[1, 1, 2, 6]) {
            let expected = self.oracle.decide(&question, self.now);
            let decision = owned(&question).decide(&self.verifier, self.now);
            assert_eq!(told(&decision), expected, "{question:?}");
            self.answers.push(scene::code(&decision));
        }
    }
}

/// A decision in the words of the oracle.
fn told(decision: &Decision) -> Result<Answer, Refusal> {
    match decision {
        Decision::Allow(allowed) => {
            let id = allowed.scope.map(|scope| allowed.catalog.scope(scope).unwrap().id.as_str());
            let known = id.map(|id| SCOPES.into_iter().find(|known| *known == id).unwrap());
            let rate = allowed.rate.map(|state| (state.limit, state.remaining, u64::from(state.reset_secs)));
            Ok((known, allowed.api_version.0, allowed.secret_generation, rate))
        }
        Decision::Deny(denied) => {
            let wait = match denied.denial {
                Denial::RateLimited { .. } | Denial::TooManyFailures { .. } => {
                    denied.denial.retry_after_secs()
                }
                _ => None,
            };
            Err((denied.denial.code(), wait.map(u64::from)))
        }
        Decision::Unavailable(reason) => Err((reason.code(), None)),
    }
}

fn owned(question: &Question) -> OwnedAsk {
    let authorization = match &question.presented {
        Presented::Nothing => None,
        Presented::Twice => Some(bearer(&minted(1))),
        Presented::Garbage => Some("Bearer a b".to_owned()),
        Presented::Basic(sid, secret) => Some(basic(sid, secret)),
        Presented::Bearer(secret) => Some(bearer(secret)),
    };
    let want = match &question.wish {
        Wish::Request { method, path, query, .. } => {
            let text = if query.has_secret { format!("q={}", minted(77)) } else { query.text.to_owned() };
            let uri = if text.is_empty() { path.clone() } else { format!("{path}?{text}") };
            Want::Request { method: (*method).to_owned(), uri }
        }
        Wish::Scope(id) => Want::Scope((*id).to_owned()),
        Wish::Identity => Want::Identity,
    };
    OwnedAsk {
        authorization,
        twice: matches!(question.presented, Presented::Twice),
        want,
        version_headers: question.headers.iter().map(|&text| text.to_owned()).collect(),
        client_address: question.address,
        min_seq: question.min_seq.map(Seq),
    }
}

/// Every answer there is, but "loading", which a verifier with a catalog gives only for a token without an account.
const ANSWERS: [&str; 23] = [
    "account_mismatch",
    "account_suspended",
    "address_not_allowed",
    "allow",
    "api_access_off",
    "api_version_conflict",
    "api_version_retired",
    "api_version_unknown",
    "behind_min_seq",
    "credentials_invalid",
    "credentials_malformed",
    "credentials_misplaced",
    "credentials_missing",
    "lease_lost",
    "legacy_tokens_off",
    "operation_unknown",
    "path_not_canonical",
    "rate_limited",
    "request_malformed",
    "scope_missing",
    "token_disabled",
    "token_expired",
    "too_many_failures",
];

#[test]
fn the_verifier_and_the_oracle_agree() {
    let answers: RefCell<BTreeMap<&str, u64>> = RefCell::default();
    let config = Config { source_file: Some(file!()), ..Config::default() };
    let strategy = proptest::collection::vec(any::<u64>(), 1..400);
    let outcome = TestRunner::new(config).run(&strategy, |seeds| {
        let mut pair = Pair::new();
        // Both accounts and some tokens to begin with, or most asks would find nobody.
        for number in 0..6 {
            pair.random = Random(seeds[0] ^ number);
            pair.put_account();
            pair.put_token();
        }
        for seed in seeds {
            pair.step(seed);
        }
        for answer in pair.answers {
            *answers.borrow_mut().entry(answer).or_default() += 1;
        }
        Ok(())
    });
    outcome.unwrap();
    println!("answers: {:?}", answers.borrow());
    for answer in ANSWERS {
        assert!(answers.borrow().contains_key(answer), "no ask was answered {answer}");
    }
}
