//! Access tokens that a door opened: found by SID and generation, and ended with the secret they were issued for.

use std::sync::Arc;

use countersign_model::{
    change::Record,
    credential::{Authorization, DerivedCredential},
    decision::{Ask, Decision, Denial, Target},
};
use countersign_verify::Verifier;

use crate::scene::{ADS, NOW, Scene, apply, later, minted, scope, scoped, secret_record, sid, token};

fn derived(scene: &Scene) -> DerivedCredential {
    DerivedCredential {
        sid: scene.token.sid,
        generation: 1,
        issued_at: NOW.wall,
        scopes: None,
        ends_at: later(600).wall,
    }
}

fn decide(verifier: &Verifier, derived: &DerivedCredential, secs: u32) -> Decision {
    let ask = Ask {
        authorization: Authorization::Derived(derived),
        target: Target::Request { method: b"GET", uri: ADS.as_bytes() },
        version_headers: &[],
        client_address: Some([203, 0, 113, 5].into()),
        min_seq: None,
    };
    verifier.decide(&ask, later(secs))
}

fn code(verifier: &Verifier, derived: &DerivedCredential, secs: u32) -> &'static str {
    crate::scene::code(&decide(verifier, derived, secs))
}

#[test]
fn it_does_what_the_token_does_and_ends_on_time() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let one = derived(&scene);
    let Decision::Allow(allowed) = decide(&verifier, &one, 0) else { panic!() };
    assert_eq!((allowed.token.sid, allowed.secret_generation), (scene.token.sid, 1));
    assert_eq!((code(&verifier, &one, 599), code(&verifier, &one, 600)), ("allow", "credentials_invalid"));
    for stranger in [
        DerivedCredential { generation: 2, ..one.clone() },
        DerivedCredential { sid: sid("BR9"), ..one.clone() },
    ] {
        // More than the limit of failures: nobody guesses what we sealed.
        for _ in 0..20 {
            assert_eq!(code(&verifier, &stranger, 0), "credentials_invalid");
        }
    }
}

#[test]
fn it_reaches_no_further_than_both_sets_of_scopes() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    for (scopes, allowed) in [
        (scoped(&["brand.ads.list"]), true),
        (scoped(&["brand.ads.list", "brand.ads.get"]), true),
        (scoped(&["brand.ads.get"]), false),
        (scoped(&[]), false),
    ] {
        let one = DerivedCredential { scopes: scopes.scopes().cloned(), ..derived(&scene) };
        match decide(&verifier, &one, 0) {
            Decision::Allow(_) => assert!(allowed),
            Decision::Deny(denied) => {
                assert!(!allowed);
                assert_eq!(denied.denial, Denial::ScopeMissing(scope("brand.ads.list")));
            }
            Decision::Unavailable(_) => panic!(),
        }
    }
}

#[test]
fn it_ends_with_its_secret_and_stops_with_its_token() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    let one = derived(&scene);
    scene.token.enabled = false;
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(code(&verifier, &one, 0), "token_disabled");
    scene.token.enabled = true;
    // An overlap: the old secret works until it ends.
    let new = secret_record(&minted(2), 2, None);
    let old = secret_record(&minted(1), 1, Some(later(60).wall));
    scene.token.secrets = vec![new.clone(), old];
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!((code(&verifier, &one, 59), code(&verifier, &one, 60)), ("allow", "credentials_invalid"));
    scene.token.secrets = vec![new];
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(code(&verifier, &one, 0), "credentials_invalid");
    let second = DerivedCredential { generation: 2, ..one };
    assert_eq!(code(&verifier, &second, 0), "allow");
    apply(&verifier, Record::TokenGone(scene.token.sid));
    assert_eq!(code(&verifier, &second, 0), "credentials_invalid");
}

#[test]
fn everybody_is_found_by_sid_while_the_table_grows_and_shrinks() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let one = derived(&scene);
    // SIDs in our own form and others, in slots and kept elsewhere.
    let name = |number: u32| {
        if number.is_multiple_of(3) { format!("import-{number}") } else { format!("BR{number:026}") }
    };
    let other = |number: u32| DerivedCredential { sid: sid(&name(number)), ..one.clone() };
    let known = |number: u32| code(&verifier, &other(number), 0) == "account_mismatch";
    for number in 0..3_000 {
        let secret = secret_record(&minted(100 + u64::from(number)), 1, None);
        let record = token(u128::from(number) + 2, &scene.account, &name(number), scoped(&[]), vec![secret]);
        apply(&verifier, Record::Token(Arc::new(record)));
        if number.is_multiple_of(2) {
            apply(&verifier, Record::TokenGone(sid(&name(number / 2))));
        }
    }
    for number in 0..3_000 {
        assert_eq!(known(number), number >= 1_500, "{number}");
    }
    assert_eq!(code(&verifier, &one, 0), "allow");
}
