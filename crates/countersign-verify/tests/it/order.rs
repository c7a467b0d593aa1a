//! The order of the checks: whatever two things are wrong with a request, the earlier check answers.

use std::sync::Arc;

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    change::{Record, Seq},
    digest::LookupKeys,
    grant::Access,
};
use countersign_verify::Verifier;

use crate::scene::{ADS, NOW, SID, Scene, Want, apply, basic, key, minted, rate, scoped, settings};

/// A scene, and what only a running verifier can have wrong with it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one thing that can be wrong, and any of them together"
)]
struct Trial {
    scene: Scene,
    is_loaded: bool,
    is_leased: bool,
    has_failed_often: bool,
    has_used_its_limit: bool,
    path: String,
    query: String,
}

/// One thing that is wrong: its check, its code, and how it comes about.
struct Fault {
    check: u8,
    code: &'static str,
    make: fn(&mut Trial),
}

const fn fault(check: u8, code: &'static str, make: fn(&mut Trial)) -> Fault {
    Fault { check, code, make }
}

/// In the documented order, with every code at least once.
const FAULTS: [Fault; 28] = [
    fault(1, "loading", |trial| trial.is_loaded = false),
    fault(1, "lease_lost", |trial| trial.is_leased = false),
    fault(1, "behind_min_seq", |trial| trial.scene.ask.min_seq = Some(Seq(1_000))),
    fault(2, "request_malformed", |trial| _ = trial.scene.method("G=T")),
    fault(2, "path_not_canonical", |trial| trial.path.push_str("/%2e%2e")),
    fault(3, "credentials_misplaced", |trial| trial.query = format!("{}&token={}", trial.query, minted(7))),
    fault(3, "credentials_missing", |trial| trial.scene.ask.authorization = None),
    fault(3, "credentials_malformed", |trial| trial.scene.ask.twice = true),
    fault(4, "too_many_failures", |trial| {
        trial.has_failed_often = true;
        trial.scene.ask.authorization = Some(basic(SID, &minted(8)));
    }),
    fault(4, "credentials_invalid", |trial| trial.scene.ask.authorization = Some(basic(SID, &minted(8)))),
    fault(4, "credentials_invalid", |trial| trial.scene.ask.authorization = Some(basic("BR5", &minted(1)))),
    fault(4, "credentials_invalid", |trial| trial.scene.token.secrets[0].ends_at = Some(NOW.wall)),
    fault(5, "token_disabled", |trial| trial.scene.token.enabled = false),
    fault(5, "token_expired", |trial| trial.scene.token.expires_at = Some(NOW.wall)),
    fault(6, "account_suspended", |trial| trial.scene.account.active = false),
    fault(6, "api_access_off", |trial| trial.scene.account.api_access = false),
    fault(6, "legacy_tokens_off", |trial| {
        trial.scene.token.access = Access::ReadOnly;
        trial.scene.account.legacy_tokens = false;
    }),
    fault(7, "address_not_allowed", |trial| {
        trial.scene.token.addresses = AddressList::parse(&["2001:db8::/32"]).unwrap();
    }),
    fault(8, "account_mismatch", |trial| trial.path = trial.path.replace(SID, "BR5")),
    fault(8, "account_mismatch", |trial| trial.path = trial.path.replace("/Advertisers/", "/Mediapartners/")),
    fault(9, "api_version_conflict", |trial| trial.query += "&apiversion=2&APIVERSION=3"),
    fault(9, "api_version_unknown", |trial| trial.scene.ask.version_headers = vec!["9".to_owned()]),
    fault(9, "api_version_retired", |trial| trial.scene.ask.version_headers = vec!["1".to_owned()]),
    // Version 3 has it; the token's own, 2, has not.
    fault(10, "operation_unknown", |trial| _ = trial.scene.method("DELETE")),
    fault(10, "scope_missing", |trial| trial.scene.token.access = scoped(&["brand.ads.get"])),
    fault(10, "write_not_allowed", |trial| {
        trial.scene.token.access = Access::ReadOnly;
        trial.scene.account.legacy_tokens = true;
        trial.scene.method("POST");
    }),
    fault(11, "rate_limited", |trial| trial.has_used_its_limit = true),
    fault(11, "rate_limited", |trial| {
        trial.has_used_its_limit = true;
        "Renamed".clone_into(&mut trial.scene.token.name);
    }),
];

/// Pairs that no request can have both of: the second changes what the first is about.
const IMPOSSIBLE: [(&str, &str); 11] = [
    // A credential that is not there is neither doubled nor wrong.
    ("credentials_missing", "too_many_failures"),
    ("credentials_missing", "credentials_invalid"),
    ("credentials_missing", "credentials_malformed"),
    // A failing credential fails in one way.
    ("too_many_failures", "credentials_invalid"),
    ("credentials_invalid", "credentials_invalid"),
    // A token is scoped or legacy, one of both.
    ("legacy_tokens_off", "scope_missing"),
    ("scope_missing", "write_not_allowed"),
    ("legacy_tokens_off", "write_not_allowed"),
    // A request has one method, and one version when it has no conflict.
    ("operation_unknown", "write_not_allowed"),
    ("api_version_unknown", "api_version_retired"),
    ("account_mismatch", "account_mismatch"),
];

impl Trial {
    fn new() -> Self {
        let mut scene = Scene::new();
        scene.token.rate_limit = rate(1, 60);
        Self {
            scene,
            is_loaded: true,
            is_leased: true,
            has_failed_often: false,
            has_used_its_limit: false,
            path: ADS.to_owned(),
            query: "page=1".to_owned(),
        }
    }

    /// The answer, after whatever came before it.
    fn code(mut self) -> &'static str {
        let mut first = Scene::new();
        first.token.rate_limit = rate(1, 60);
        let verifier =
            if self.is_loaded { first.verifier() } else { Verifier::new(LookupKeys::of(key(1)), settings()) };
        if self.has_used_its_limit && self.is_loaded {
            assert_eq!(first.ask.code(&verifier), "allow");
        }
        apply(&verifier, Record::Account(Arc::new(self.scene.account.clone())));
        apply(&verifier, Record::Token(Arc::new(self.scene.token.clone())));
        if self.has_failed_often {
            let address = self.scene.ask.client_address.unwrap();
            while verifier.note_failure(address, NOW).is_none() {}
        }
        verifier.freshness().grant_until(if self.is_leased { NOW.boot_nanos + 1 } else { NOW.boot_nanos });
        let uri = format!("{}?{}", self.path, self.query);
        self.scene.uri(&uri);
        self.scene.ask.code(&verifier)
    }
}

#[test]
fn each_fault_alone_has_its_code() {
    assert_eq!(Trial::new().code(), "allow");
    for fault in &FAULTS {
        let mut trial = Trial::new();
        (fault.make)(&mut trial);
        assert_eq!(trial.code(), fault.code);
    }
}

#[test]
fn of_two_faults_the_earlier_answers() {
    let mut pairs = 0;
    for (index, early) in FAULTS.iter().enumerate() {
        for late in &FAULTS[index + 1..] {
            // Which of two faults of one check answers is settled by the table's order too, where both can be.
            if IMPOSSIBLE.contains(&(early.code, late.code)) || early.code == late.code {
                continue;
            }
            let mut trial = Trial::new();
            (late.make)(&mut trial);
            (early.make)(&mut trial);
            assert_eq!(
                trial.code(),
                early.code,
                "with {} ({}) and {} ({})",
                early.code,
                early.check,
                late.code,
                late.check
            );
            pairs += 1;
        }
    }
    println!("{pairs} pairs of faults");
    assert!(pairs > 300);
}

type Mend = fn(&mut Scene);

#[test]
fn a_scope_named_directly_goes_through_the_same_order() {
    let mut scene = Scene::new();
    scene.ask.want = Want::Scope("brand.ads.delete".to_owned());
    let steps: [(&str, Mend); 8] = [
        ("token_disabled", |scene| scene.token.enabled = true),
        ("account_suspended", |scene| scene.account.active = true),
        ("address_not_allowed", |scene| scene.token.addresses = AddressList::default()),
        ("account_mismatch", |scene| scene.account.kind = "brand".to_owned()),
        ("api_version_unknown", |scene| scene.token.api_version = ApiVersion(1)),
        ("api_version_retired", |scene| scene.token.api_version = ApiVersion(2)),
        ("operation_unknown", |scene| scene.token.api_version = ApiVersion(3)),
        ("scope_missing", |scene| scene.token.access = scoped(&["brand.ads.delete"])),
    ];
    // Everything is wrong at first, and mended from the front.
    scene.token.enabled = false;
    scene.account.active = false;
    scene.token.addresses = AddressList::parse(&["2001:db8::/32"]).unwrap();
    scene.account.kind = "partner".to_owned();
    scene.token.api_version = ApiVersion(9);
    for (expected, mend) in steps {
        assert_eq!(scene.code(), expected);
        mend(&mut scene);
    }
    assert_eq!(scene.code(), "allow");
}
