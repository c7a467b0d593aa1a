//! Rate limits as callers meet them: the token's own, the group's, and what consumes them. Their arithmetic has its
//! tests beside it.

use std::sync::Arc;

use countersign_model::{
    change::Record,
    decision::{Decision, Denial, RateState},
    rate::RateLimit,
};
use countersign_verify::Verifier;

use crate::scene::{ADS, NOW, OwnedAsk, SID, Scene, apply, catalog, later, rate, scoped};

fn reports() -> Scene {
    let mut scene = Scene::new();
    scene.token.access = scoped(&["brand.reports.list", "brand.status.get", "brand.ads.list"]);
    scene.uri(&format!("/Advertisers/{SID}/Reports"));
    scene
}

#[track_caller]
fn remaining(ask: &OwnedAsk, verifier: &Verifier) -> u32 {
    let Decision::Allow(allowed) = ask.decide(verifier, NOW) else {
        panic!("{:?}", ask.decide(verifier, NOW))
    };
    allowed.rate.expect("a limit is in force").remaining
}

#[test]
fn a_group_is_counted_per_token_over_its_scopes_where_it_is_enforced() {
    let mut scene = reports();
    let verifier = scene.verifier();
    assert_eq!(remaining(&scene.ask, &verifier), 1);
    scene.uri("/AdvertiserStatus");
    assert_eq!(remaining(&scene.ask, &verifier), 0);
    let Decision::Deny(denied) = scene.ask.decide(&verifier, NOW) else { panic!() };
    let limit = RateLimit::new(2, 100).unwrap();
    assert_eq!(denied.denial, Denial::RateLimited { retry_after_secs: 50, limit });
    let Decision::Allow(allowed) = scene.ask.decide(&verifier, later(50)) else { panic!() };
    assert_eq!(allowed.rate, Some(RateState { limit, remaining: 0, reset_secs: 100 }));
    scene.uri(ADS);
    for _ in 0..3 {
        let Decision::Allow(allowed) = scene.ask.decide(&verifier, NOW) else { panic!() };
        assert_eq!(allowed.rate, None, "a group that is not enforced limits nothing");
    }
}

#[test]
fn of_two_limits_the_tighter_is_told_and_a_refusal_consumes_nothing() {
    let mut scene = reports();
    scene.token.rate_limit = rate(4, 3_600);
    let verifier = scene.verifier();
    assert_eq!([remaining(&scene.ask, &verifier), remaining(&scene.ask, &verifier)], [1, 0]);
    for _ in 0..5 {
        assert_eq!(scene.ask.code(&verifier), "rate_limited");
    }
    scene.uri(ADS);
    assert_eq!([remaining(&scene.ask, &verifier), remaining(&scene.ask, &verifier)], [1, 0]);
    assert_eq!(scene.ask.code(&verifier), "rate_limited");
}

#[test]
fn only_what_is_allowed_consumes() {
    let mut scene = Scene::new();
    scene.token.rate_limit = rate(1, 3_600);
    let verifier = scene.verifier();
    let right = scene.ask.clone();
    for wrong in [format!("{ADS}/7"), "/Nothing".to_owned(), format!("{ADS}?ApiVersion=9"), "//".to_owned()] {
        scene.uri(&wrong);
        assert_ne!(scene.ask.code(&verifier), "allow");
    }
    assert_eq!((right.code(&verifier), right.code(&verifier)), ("allow", "rate_limited"));
}

#[test]
fn limits_go_on_over_edits_loads_and_catalogs_that_do_not_change_them() {
    let mut scene = reports();
    scene.token.rate_limit = rate(3, 3_600);
    let verifier = scene.verifier();
    assert_eq!([remaining(&scene.ask, &verifier), remaining(&scene.ask, &verifier)], [1, 0]);
    scene.token.name = "Renamed".to_owned();
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(scene.ask.code(&verifier), "rate_limited");
    apply(&verifier, Record::Catalog(catalog(&[(r#"en = "Reports""#, r#"en = "All reports""#)])));
    assert_eq!(scene.ask.code(&verifier), "rate_limited");
    verifier.load(verifier.applied(), scene.records());
    assert_eq!(scene.ask.code(&verifier), "rate_limited");
    // Another limit of the group starts anew; the token's own goes on and now is the tighter one.
    apply(&verifier, Record::Catalog(catalog(&[("requests = 2\n", "requests = 5\n")])));
    assert_eq!(remaining(&scene.ask, &verifier), 0);
    assert_eq!(scene.ask.code(&verifier), "rate_limited");
    scene.token.rate_limit = rate(2, 3_600);
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(remaining(&scene.ask, &verifier), 1);
    scene.token.rate_limit = None;
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(remaining(&scene.ask, &verifier), 2, "of the group's five three are used");
}
