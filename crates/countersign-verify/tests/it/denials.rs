//! Every answer there is, each reached by one thing that is wrong.

use std::collections::BTreeSet;

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    change::{Record, Seq},
    decision::{Decision, Denial},
    digest::{Digest, Former, LookupKeys},
    grant::Access,
};
use countersign_verify::Verifier;

use crate::scene::{
    ADS, NOW, SID, Scene, Want, apply, basic, bearer, code, key, later, minted, peppered, rate, scope,
    scoped, secret_record, settings,
};

#[track_caller]
fn check(expected: &str, change: impl FnOnce(&mut Scene)) {
    let mut scene = Scene::new();
    change(&mut scene);
    assert_eq!(scene.code(), expected, "{:?}", scene.ask);
}

#[test]
fn a_right_request_is_allowed_and_told_about() {
    let scene = Scene::new();
    let Decision::Allow(allowed) = scene.decide() else { panic!("{:?}", scene.decide()) };
    assert_eq!((allowed.token.sid, allowed.token.access), (scene.token.sid, scene.token.access.kind()));
    assert_eq!(*allowed.account, scene.account);
    assert_eq!((allowed.scope, allowed.api_version), (Some(scope("brand.ads.list")), ApiVersion(2)));
    assert_eq!((allowed.secret_generation, allowed.rate), (1, None));
    check("allow", |scene| scene.ask.authorization = Some(bearer(&minted(1))));
}

#[test]
fn one_when_the_node_may_not_answer() {
    let scene = Scene::new();
    let fresh = Verifier::new(LookupKeys::of(key(1)), settings());
    fresh.freshness().always();
    assert_eq!(code(&scene.ask.decide(&fresh, NOW)), "loading");
    let verifier = scene.verifier();
    verifier.freshness().grant_until(NOW.boot_nanos);
    assert_eq!(code(&scene.ask.decide(&verifier, NOW)), "lease_lost");
    verifier.freshness().grant_until(NOW.boot_nanos + 1);
    assert_eq!(code(&scene.ask.decide(&verifier, NOW)), "allow");
    check("allow", |scene| scene.ask.min_seq = Some(Seq(1)));
    check("behind_min_seq", |scene| scene.ask.min_seq = Some(Seq(2)));
    // Half a state is no state: an outage of ours is not told as the caller's fault.
    for missing in 0..2 {
        let mut records = scene.records();
        records.remove(missing);
        assert_eq!(code(&scene.ask.decide(&crate::scene::verifier(records), NOW)), "loading");
    }
}

#[test]
fn two_the_request_itself() {
    check("request_malformed", |scene| _ = scene.method("get"));
    check("request_malformed", |scene| _ = scene.method("POST").uri(&format!("{ADS}?_method=PATCH")));
    check("request_malformed", |scene| _ = scene.uri("Advertisers"));
    check("path_not_canonical", |scene| _ = scene.uri(&format!("/{ADS}")));
    check("path_not_canonical", |scene| _ = scene.uri(&format!("{ADS}/%2e%2e/Ads")));
}

#[test]
fn three_the_credential() {
    check("credentials_missing", |scene| scene.ask.authorization = None);
    check("credentials_malformed", |scene| scene.ask.twice = true);
    check("credentials_malformed", |scene| scene.ask.authorization = Some("Basic !".to_owned()));
    check("credentials_malformed", |scene| scene.ask.authorization = Some(bearer(&"x".repeat(513))));
    let in_query = format!("{ADS}?access_token={}", minted(1));
    check("credentials_misplaced", |scene| _ = scene.uri(&in_query));
    check("credentials_misplaced", |scene| scene.uri(&in_query).ask.authorization = None);
    check("credentials_misplaced", |scene| _ = scene.uri(&format!("{ADS}?x={}", minted(99))));
    check("credentials_misplaced", |scene| {
        _ = scene.uri(&format!("https://{SID}:{}@api.example{ADS}", minted(1)));
    });
}

#[test]
fn four_the_secret() {
    let invalid = |authorization: String| {
        check("credentials_invalid", |scene| scene.ask.authorization = Some(authorization));
    };
    invalid(basic(SID, &minted(2)));
    invalid(basic("BR0000000000000000000000000", &minted(1)));
    invalid(basic(&SID.to_lowercase(), &minted(1)));
    invalid(basic(&SID[..27], &minted(1)));
    invalid(bearer("made-up-by-somebody"));
    let mut broken = minted(1);
    broken.replace_range(43.., if broken.ends_with('0') { "1" } else { "0" });
    invalid(bearer(&broken));
    check("credentials_invalid", |scene| {
        scene.token.secrets = vec![secret_record(&minted(1), 1, Some(NOW.wall))];
    });
    check("allow", |scene| {
        scene.token.secrets = vec![secret_record(&minted(1), 1, Some(NOW.wall.plus_secs(1)))];
    });
    // A digest under a key this node was not given is no digest.
    check("credentials_invalid", |scene| scene.token.secrets = vec![peppered(&minted(1), 2, 1, None)]);
}

#[test]
fn four_all_bits_of_the_tag_count() {
    // The index keeps the first 128 bits of a digest; the rest is in the store only.
    for changed in 0..16 {
        check("credentials_invalid", |scene| {
            let secret = &mut scene.token.secrets[0];
            let mut bytes = *secret.digest.as_bytes();
            bytes[changed] ^= 1;
            secret.digest = Digest::from_bytes(bytes);
        });
    }
}

#[test]
fn four_both_pepper_generations_and_imported_secrets() {
    let mut scene = Scene::new();
    scene.token.secrets = vec![
        peppered(&minted(2), 2, 2, None),
        peppered(&minted(1), 1, 1, None),
        peppered("imported~1", 2, 3, None),
    ];
    let verifier = Verifier::new(LookupKeys::of(key(2)).after(key(1), Former::Alone), settings());
    verifier.load(Seq(1), scene.records());
    verifier.freshness().always();
    for (secret, generation) in [(minted(2), 2), (minted(1), 1), ("imported~1".to_owned(), 3)] {
        scene.ask.authorization = Some(basic(SID, &secret));
        let Decision::Allow(allowed) = scene.ask.decide(&verifier, NOW) else { panic!("{secret}") };
        assert_eq!(allowed.secret_generation, generation);
    }
}

#[test]
fn four_too_many_failures_stop_the_failing_only() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let mut wrong = scene.ask.clone();
    wrong.authorization = Some(basic(SID, &minted(2)));
    for _ in 0..5 {
        assert_eq!(code(&wrong.decide(&verifier, NOW)), "credentials_invalid");
    }
    let Decision::Deny(denied) = wrong.decide(&verifier, NOW) else { panic!() };
    assert_eq!(denied.denial, Denial::TooManyFailures { retry_after_secs: 12 });
    assert!(denied.token.is_none() && denied.account.is_none());
    assert_eq!(verifier.note_failure("203.0.113.5".parse().unwrap(), NOW), Some(12));
    assert_eq!(scene.ask.code(&verifier), "allow", "a right credential is never slowed");
    for address in [Some("203.0.113.6".parse().unwrap()), None] {
        wrong.client_address = address;
        assert_eq!(code(&wrong.decide(&verifier, NOW)), "credentials_invalid");
    }
    wrong.client_address = scene.ask.client_address;
    assert_eq!(code(&wrong.decide(&verifier, later(12))), "credentials_invalid");
}

#[test]
fn five_six_and_seven_token_account_and_address() {
    check("token_disabled", |scene| scene.token.enabled = false);
    check("token_expired", |scene| scene.token.expires_at = Some(NOW.wall));
    check("allow", |scene| scene.token.expires_at = Some(NOW.wall.plus_secs(1)));
    check("account_suspended", |scene| scene.account.active = false);
    check("api_access_off", |scene| scene.account.api_access = false);
    check("legacy_tokens_off", |scene| scene.token.access = Access::ReadWrite);
    check("legacy_tokens_off", |scene| scene.token.access = Access::ReadOnly);
    check("address_not_allowed", |scene| {
        scene.token.addresses = AddressList::parse(&["198.51.100.0/24"]).unwrap();
    });
    check("allow", |scene| scene.token.addresses = AddressList::parse(&["203.0.113.0/24"]).unwrap());
    check("address_not_allowed", |scene| {
        scene.token.addresses = AddressList::parse(&["0.0.0.0/0"]).unwrap();
        scene.ask.client_address = None;
    });
}

#[test]
fn eight_to_eleven_what_is_asked_for() {
    check("account_mismatch", |scene| _ = scene.uri("/Advertisers/BR9/Ads"));
    check("account_mismatch", |scene| _ = scene.uri(&format!("/Mediapartners/{SID}/Ads")));
    check("account_mismatch", |scene| scene.ask.want = Want::Scope("partner.ads.list".to_owned()));
    check("account_mismatch", |scene| scene.account.kind = "publisher".to_owned());
    check("api_version_unknown", |scene| scene.token.api_version = ApiVersion(9));
    check("api_version_retired", |scene| scene.token.api_version = ApiVersion(1));
    check("api_version_conflict", |scene| scene.ask.version_headers = vec!["2".to_owned(), "3".to_owned()]);
    check("operation_unknown", |scene| _ = scene.uri("/Nothing"));
    check("operation_unknown", |scene| _ = scene.method("PATCH"));
    check("operation_unknown", |scene| scene.ask.want = Want::Scope("brand.nothing".to_owned()));
    check("scope_missing", |scene| scene.token.access = scoped(&["brand.ads.get"]));
    check("write_not_allowed", |scene| {
        scene.token.access = Access::ReadOnly;
        scene.account.legacy_tokens = true;
        scene.method("POST");
    });
    let mut scene = Scene::new();
    scene.token.rate_limit = rate(1, 60);
    let verifier = scene.verifier();
    assert_eq!(scene.ask.code(&verifier), "allow");
    assert_eq!(scene.ask.code(&verifier), "rate_limited");
}

#[test]
fn a_deleted_token_is_as_unknown_as_any_other() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    apply(&verifier, Record::TokenGone(scene.token.sid));
    let Decision::Deny(denied) = scene.ask.decide(&verifier, NOW) else { panic!() };
    assert_eq!(denied.denial, Denial::CredentialsInvalid);
    assert!(denied.token.is_none() && denied.account.is_none());
}

#[test]
fn only_who_proved_the_secret_is_told_more_than_a_code() {
    let mut told = BTreeSet::new();
    let mut look = |change: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::new();
        change(&mut scene);
        let Decision::Deny(denied) = scene.decide() else { panic!("{:?}", scene.decide()) };
        assert_eq!(denied.token.is_some(), denied.account.is_some());
        if let Some(token) = denied.token {
            assert_eq!((token.sid, token.access), (scene.token.sid, scene.token.access.kind()));
            told.insert(denied.denial.code());
        }
    };
    look(&|scene| _ = scene.method("get"));
    look(&|scene| _ = scene.uri("//"));
    look(&|scene| scene.ask.authorization = None);
    look(&|scene| scene.ask.twice = true);
    look(&|scene| _ = scene.uri(&format!("{ADS}?a={}", minted(1))));
    look(&|scene| scene.ask.authorization = Some(bearer(&minted(2))));
    look(&|scene| scene.token.enabled = false);
    look(&|scene| scene.account.active = false);
    look(&|scene| scene.token.addresses = AddressList::parse(&["198.51.100.0/24"]).unwrap());
    look(&|scene| _ = scene.uri("/Advertisers/BR9/Ads"));
    look(&|scene| scene.token.api_version = ApiVersion(1));
    look(&|scene| scene.token.access = scoped(&[]));
    let expected = [
        "account_mismatch",
        "account_suspended",
        "address_not_allowed",
        "api_version_retired",
        "scope_missing",
        "token_disabled",
    ];
    assert_eq!(told.into_iter().collect::<Vec<_>>(), expected);
}
