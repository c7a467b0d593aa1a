//! T-4, enumeration by time: whoever does not hold a secret cannot tell from the time of an answer whether a SID is
//! unknown, another account's, disabled, or right beside a wrong secret. A test in the manner of dudect (Reparaz,
//! Balasch, Verbauwhede 2017): classes in random order, slow outliers cropped, Welch's t.

use std::{hint::black_box, sync::Arc};

use countersign_model::{
    change::{Record, TokenRecord},
    credential::Authorization,
    decision::{Ask, Decision, Denial, Target},
    digest::{Digest, Former, LookupKeys},
};
use countersign_verify::Verifier;

use crate::{
    measure::{Deadline, nanos},
    scene::{NOW, Random, account, basic, catalog, key, minted, scoped, secret_record, token, verifier},
};

/// Beyond this, two means differ for a reason and not by chance.
const T_MAX: f64 = 4.5;
/// Comparisons in one measurement: one alone is shorter than what a clock can tell.
const COMPARISONS: usize = 64;
/// Measurements of the full count, for each class.
const FULL_COUNT: u64 = 1_000_000;
/// Measurements by which the cropping is chosen; they are not counted.
const PILOT: usize = 8_000;
/// What is kept; the slow end is interrupts, not us.
const KEPT_PERCENT: usize = 90;

/// Running mean and variance (Welford).
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn welch(&self, other: &Self) -> f64 {
        let error = |one: &Self| one.squares / (one.count - 1.0) / one.count;
        (self.mean - other.mean) / (error(self) + error(other)).sqrt()
    }
}

/// SIDs of one length for each class.
struct World {
    verifier: Verifier,
    classes: [(&'static str, Vec<String>); 4],
}

const SIDS: usize = 64;

fn world() -> World {
    let (brand, partner) = (account(1, "brand"), account(2, "partner"));
    let sid = |class: &str, number: usize| format!("BR{class}{number:025}");
    let sids = |class: &str| (0..SIDS).map(|number| sid(class, number)).collect::<Vec<_>>();
    let classes = [
        ("unknown", sids("U")),
        ("wrong secret", sids("W")),
        ("disabled", sids("D")),
        ("foreign", sids("F")),
    ];
    let mut tokens: Vec<TokenRecord> = Vec::new();
    for (class, owner, enabled) in [("W", &brand, true), ("D", &brand, false), ("F", &partner, true)] {
        for number in 0..SIDS {
            let id = tokens.len() as u64;
            let secret = secret_record(&minted(id), 1, None);
            let mut record = token(id.into(), owner, &sid(class, number), scoped(&[]), vec![secret]);
            record.enabled = enabled;
            tokens.push(record);
        }
    }
    // The caller's own token, which it may present beside other SIDs.
    tokens.push(token(9_999, &brand, "BRO", scoped(&[]), vec![secret_record(&minted(9_999), 1, None)]));
    let mut records = vec![
        Record::Catalog(catalog(&[])),
        Record::Account(Arc::new(brand)),
        Record::Account(Arc::new(partner)),
    ];
    records.extend(tokens.into_iter().map(|token| Record::Token(Arc::new(token))));
    World { verifier: verifier(records), classes }
}

fn decide_nanos(verifier: &Verifier, authorization: &str) -> u64 {
    let ask = Ask {
        authorization: Authorization::One(authorization.as_bytes()),
        target: Target::Identity,
        version_headers: &[],
        client_address: None,
        min_seq: None,
    };
    let (took, decision) = nanos(|| verifier.decide(&ask, NOW));
    let Decision::Deny(denied) = decision else { panic!("allowed") };
    assert_eq!(denied.denial, Denial::CredentialsInvalid);
    assert!(denied.token.is_none());
    took
}

#[test]
fn the_time_of_an_answer_tells_nothing_about_a_sid() {
    let world = world();
    let rotating = || LookupKeys::of(key(2)).after(key(1), Former::Alone);
    for (name, secret, keys) in [
        ("a wrong secret", None, LookupKeys::of(key(1))),
        ("another token's secret", Some(minted(9_999)), LookupKeys::of(key(1))),
        ("a wrong secret in a rotation", None, rotating()),
        ("another token's secret in a rotation", Some(minted(9_999)), rotating()),
    ] {
        world.verifier.use_keys(keys);
        let mut random = Random(4);
        let measure = |class: usize| {
            let sids = &world.classes[class].1;
            let sid = &sids[random.below(SIDS)];
            // A new wrong secret each time: a fixed one would have its own place in the table, and its own time.
            let authorization = match &secret {
                Some(secret) => basic(sid, secret),
                None => basic(sid, &minted(random.next())),
            };
            decide_nanos(&world.verifier, &authorization)
        };
        same_time(&format!("T-4, {name}"), world.classes.each_ref().map(|class| class.0), measure);
    }
}

/// T-19: however much of a digest is right, comparing it takes the same time. `tidy.rs` sees that secrets are compared with
/// nothing else.
#[test]
fn the_time_of_a_comparison_tells_nothing_about_a_digest() {
    let kept = Digest::from_bytes([0x5a; 32]);
    let wrong_at = |place: Option<usize>| {
        let mut bytes = *kept.as_bytes();
        if let Some(byte) = place.and_then(|place| bytes.get_mut(place)) {
            *byte ^= 1;
        }
        Digest::from_bytes(bytes)
    };
    let shown = [None, Some(0), Some(16), Some(31)].map(wrong_at);
    let measure = |class: usize| {
        let compare = || (0..COMPARISONS).filter(|_| black_box(&shown[class]) == black_box(&kept)).count();
        let (took, equal) = nanos(compare);
        assert_eq!(equal, if class == 0 { COMPARISONS } else { 0 });
        took
    };
    let classes = ["right", "wrong in the first byte", "wrong in the middle", "wrong in the last byte"];
    same_time("T-19, a comparison of digests", classes, measure);
}

/// Measures classes in random order, and holds their means to be the same.
fn same_time(name: &str, classes: [&str; 4], mut measure: impl FnMut(usize) -> u64) {
    let mut order = Random(44);
    let mut pilot: Vec<u64> = (0..PILOT).map(|_| measure(order.below(4))).collect();
    pilot.sort_unstable();
    let crop = pilot[PILOT * KEPT_PERCENT / 100];
    let mut moments = [Moments::default(); 4];
    let (deadline, mut count) = (Deadline::start(), 0);
    while !deadline.is_over() && count < 4 * FULL_COUNT {
        for _ in 0..400 {
            let class = order.below(4);
            let took = measure(class);
            if took < crop {
                moments[class].add(f64::from(u32::try_from(took).unwrap()));
            }
        }
        count += 400;
    }
    println!("{name}: {count} measurements");
    for (first, one) in moments.iter().enumerate() {
        for (second, other) in moments.iter().enumerate().skip(first + 1) {
            let (t, names) = (one.welch(other), (classes[first], classes[second]));
            println!("  {names:?}: {:.1} and {:.1} ns, t = {t:.2}", one.mean, other.mean);
            assert!(t.abs() < T_MAX, "{names:?} with {name} differ: t = {t}");
        }
    }
}
