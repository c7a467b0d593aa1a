//! A decision allocates nothing, whatever it says: counted by an allocator that counts, on the thread that asks. The first
//! use of a secret after a report, and the first meeting of a token with a rate-limit group, are no decisions of their
//! own: they are made before.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "it/scene.rs"]
#[allow(dead_code, reason = "the scene of the other tests")]
mod scene;

use allocation_counter::measure;
use countersign_model::{
    credential::Authorization,
    decision::{Ask, Target},
};
use countersign_verify::{self as tested, Verifier};
use scene::{ADS, NOW, SID, Scene, basic, bearer, code, minted, rate};

fn ask<'a>(authorization: Authorization<'a>, target: Target<'a>) -> Ask<'a> {
    Ask {
        authorization,
        target,
        version_headers: &[b"2"],
        client_address: Some([203, 0, 113, 5].into()),
        min_seq: None,
    }
}

/// Decides once to warm up, then again while allocations are counted.
fn allocations(verifier: &Verifier, ask: &Ask<'_>, expected: &str) -> u64 {
    assert_eq!(code(&verifier.decide(ask, NOW)), expected);
    let mut decision = None;
    let counted = measure(|| decision = Some(verifier.decide(ask, NOW)));
    assert_eq!(decision.map(|decision| code(&decision)), Some(expected));
    counted.count_total
}

#[test]
fn a_decision_allocates_nothing() {
    // The counter counts: a test that cannot fail is none.
    assert_eq!(measure(|| drop(Box::new(1_u64))).count_total, 1);

    let mut scene = Scene::new();
    scene.token.rate_limit = rate(1_000, 60);
    let verifier = scene.verifier();
    let (right, alone) = (basic(SID, &minted(1)), bearer(&minted(1)));
    let wrong = basic(SID, &minted(2));
    let mut broken = right.clone();
    broken.truncate(broken.len() - 4);
    let ads = Target::Request { method: b"GET", uri: ADS.as_bytes() };
    let query = format!("{ADS}?page=1&ApiVersion=2");
    let queried = Target::Request { method: b"GET", uri: query.as_bytes() };
    let write = Target::Request { method: b"POST", uri: ADS.as_bytes() };
    for (authorization, target, expected) in [
        (right.as_str(), ads, "allow"),
        (&alone, ads, "allow"),
        (&right, queried, "allow"),
        (&right, Target::Identity, "allow"),
        (&right, Target::Scope("brand.ads.list"), "allow"),
        (&right, write, "scope_missing"),
        (&wrong, ads, "credentials_invalid"),
        (&broken, ads, "credentials_invalid"),
    ] {
        let counted =
            allocations(&verifier, &ask(Authorization::One(authorization.as_bytes()), target), expected);
        assert_eq!(counted, 0, "{expected}");
    }
    assert_eq!(allocations(&verifier, &ask(Authorization::Absent, ads), "credentials_missing"), 0);
}

#[test]
fn a_record_that_is_kept_whole_and_a_group_cost_no_allocation_either() {
    let mut scene = Scene::new();
    scene.token.sid = scene::sid("from-elsewhere");
    scene.token.access = scene::scoped(&["brand.reports.list"]);
    scene.token.addresses = countersign_model::address::AddressList::parse(&["203.0.113.0/24"]).unwrap();
    let verifier = scene.verifier();
    let right = basic("from-elsewhere", &minted(1));
    let target = Target::Request { method: b"GET", uri: b"/Advertisers/from-elsewhere/Reports" };
    let ask = ask(Authorization::One(right.as_bytes()), target);
    assert_eq!(allocations(&verifier, &ask, "allow"), 0);
}
