//! Maximum lifetimes: of the account, of its kind, and how a change of either binds tokens that exist.

use std::sync::Arc;

use countersign_model::{change::Record, grant::Access, lifetime::Lifetime, time::Now};

use crate::scene::{CREATED, NOW, Scene, apply, catalog, code};

#[allow(clippy::unnecessary_wraps, reason = "it fills a field of an account, which is optional")]
fn days(days: u16) -> Option<Lifetime> {
    Some(Lifetime::new(days).unwrap())
}

/// The catalog that lets tokens of brands live so long.
fn limited(days: u16) -> Record {
    let line = format!("code = \"BR\"\ntoken_lifetime_days = {days}\n");
    Record::Catalog(catalog(&[("code = \"BR\"\n", &line)]))
}

#[test]
fn the_shortest_life_binds() {
    // A token of the tests is 100 days old.
    for (account, platform, own_secs, expected) in [
        (None, None, None, "allow"),
        (days(100), None, None, "token_expired"),
        (days(101), None, None, "allow"),
        (None, Some(100), None, "token_expired"),
        (None, Some(101), None, "allow"),
        (days(101), Some(100), None, "token_expired"),
        (days(100), Some(101), None, "token_expired"),
        (days(101), Some(102), Some(0), "token_expired"),
        (days(101), Some(102), Some(1), "allow"),
        (days(99), None, Some(3600), "token_expired"),
    ] {
        let mut scene = Scene::new();
        scene.account.token_lifetime = account;
        scene.token.expires_at = own_secs.map(|secs| NOW.wall.plus_secs(secs));
        let verifier = scene.verifier();
        if let Some(platform) = platform {
            apply(&verifier, limited(platform));
        }
        assert_eq!(scene.ask.code(&verifier), expected, "{account:?} {platform:?} {own_secs:?}");
    }
}

#[test]
fn a_life_ends_at_its_moment() {
    let mut scene = Scene::new();
    scene.account.token_lifetime = days(365);
    let verifier = scene.verifier();
    let end = CREATED.plus_secs(365 * 24 * 3600);
    for (secs, expected) in [(-1, "allow"), (0, "token_expired")] {
        let now = Now { wall: end.plus_secs(secs), ..NOW };
        assert_eq!(code(&scene.ask.decide(&verifier, now)), expected);
    }
}

#[test]
fn a_shorter_life_takes_at_once_and_a_longer_one_gives_back() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let account = |days| {
        Record::Account(Arc::new(countersign_model::change::AccountRecord {
            token_lifetime: days,
            ..scene.account.clone()
        }))
    };
    for (record, expected) in [
        (account(days(30)), "token_expired"),
        (account(days(365)), "allow"),
        (limited(30), "token_expired"),
        (account(None), "token_expired"),
        (limited(365), "allow"),
        (account(days(1)), "token_expired"),
        (account(None), "allow"),
        (Record::Catalog(catalog(&[])), "allow"),
    ] {
        apply(&verifier, record);
        assert_eq!(scene.ask.code(&verifier), expected);
    }
}

#[test]
fn legacy_credentials_are_not_bound() {
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let mut scene = Scene::new();
        scene.account.token_lifetime = days(1);
        scene.account.legacy_tokens = true;
        scene.token.access = access;
        let verifier = scene.verifier();
        apply(&verifier, limited(1));
        assert_eq!(scene.ask.code(&verifier), "allow");
    }
}
