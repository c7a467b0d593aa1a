//! The races: what an ask may answer while a change is on its way, and what it must answer after.

use std::sync::Arc;

use countersign_model::{
    change::{Record, Seq},
    decision::{Decision, Unavailable},
    time::Now,
};
use shuttle::thread;

use crate::{
    Verifier,
    scene::{NOW, Scene, apply, code, minted, rate, scoped, secret_record, sid, token},
};

/// Schedules of each race in `make test`, and of the full count.
const SCHEDULES: usize = 300;
const FULL_SCHEDULES: usize = 100_000;

/// A race and its name.
type Race = (&'static str, fn());

const RACES: [Race; 8] = [
    ("an edit is seen whole, and after the answer by everybody", edit),
    ("a secret stays right while its segment grows", growth),
    ("a reset lets in the new secret before the old one is out", reset),
    ("a record that is kept elsewhere is never another's", kept),
    ("a rate limit is kept to while its segment grows", rate_limit),
    ("uses are counted once, beside reports and while lines change hands", uses),
    ("a use that a crash leaves behind is not one that a report wrote", uses_left),
    ("a lease that is lost stops every later ask", lease),
];

pub(crate) fn run() {
    let is_full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
    let schedules = if is_full { FULL_SCHEDULES } else { SCHEDULES };
    for (name, race) in RACES {
        shuttle::check_random(race, schedules);
        println!("{name}: {schedules} schedules");
    }
}

/// Other tokens, so many that segments grow.
fn fill(verifier: &Verifier, scene: &Scene, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let secret = secret_record(&minted(1_000 + number), 1, None);
        let sid = format!("BR{number:026}");
        let other = token(u128::from(number) + 9, &scene.account, &sid, scoped(&[]), vec![secret]);
        apply(verifier, Record::Token(Arc::new(other)));
    }
}

/// An enabled token that may, and the same disabled and without the scope and with an expiry that is over: of the two, no
/// mixture is ever answered.
fn edit() {
    let scene = Scene::new();
    let verifier = Arc::new(scene.verifier());
    let mut other = scene.token.clone();
    other.enabled = false;
    other.access = scoped(&[]);
    other.expires_at = Some(NOW.wall);
    let reader = {
        let (verifier, ask) = (Arc::clone(&verifier), scene.ask.clone());
        thread::spawn(move || {
            for _ in 0..2 {
                // Half of one and half of the other would be expired, or lack the scope.
                let answer = ask.code(&verifier);
                assert!(matches!(answer, "allow" | "token_disabled"), "{answer}");
            }
        })
    };
    apply(&verifier, Record::Token(Arc::new(other)));
    assert_eq!(scene.ask.code(&verifier), "token_disabled");
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(scene.ask.code(&verifier), "allow");
    reader.join().unwrap();
}

fn growth() {
    let scene = Scene::new();
    let verifier = Arc::new(scene.verifier());
    let reader = {
        let (verifier, ask) = (Arc::clone(&verifier), scene.ask.clone());
        thread::spawn(move || {
            for _ in 0..3 {
                assert_eq!(ask.code(&verifier), "allow");
            }
        })
    };
    fill(&verifier, &scene, 0..24);
    reader.join().unwrap();
}

fn reset() {
    let mut scene = Scene::new();
    let verifier = Arc::new(scene.verifier());
    let mut new = scene.ask.clone();
    new.authorization = Some(crate::scene::bearer(&minted(2)));
    let reader = {
        let (verifier, old, new) = (Arc::clone(&verifier), scene.ask.clone(), new.clone());
        thread::spawn(move || {
            // The old one first: who finds it out finds the new one in.
            let (first, then) = (old.code(&verifier), new.code(&verifier));
            assert!(first == "allow" || then == "allow", "{first}, then {then}");
        })
    };
    scene.token.secrets = vec![secret_record(&minted(2), 2, None)];
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!((scene.ask.code(&verifier), new.code(&verifier)), ("credentials_invalid", "allow"));
    reader.join().unwrap();
}

/// Two tokens whose records are kept whole; while one is read, it goes, and its number is given to the other.
fn kept() {
    let mut scene = Scene::new();
    scene.token.sid = sid("mine");
    scene.uri("/Advertisers/mine/Ads");
    scene.ask.authorization = Some(crate::scene::bearer(&minted(1)));
    let verifier = Arc::new(scene.verifier());
    let secret = secret_record(&minted(2), 1, None);
    let other = token(2, &scene.account, "other", scoped(&[]), vec![secret]);
    let reader = {
        let (verifier, ask) = (Arc::clone(&verifier), scene.ask.clone());
        thread::spawn(move || {
            let answer = ask.decide(&verifier, NOW);
            if let Decision::Allow(allowed) = &answer {
                assert_eq!(allowed.token.sid, sid("mine"));
            }
            assert!(matches!(code(&answer), "allow" | "credentials_invalid"), "{}", code(&answer));
        })
    };
    apply(&verifier, Record::TokenGone(scene.token.sid));
    apply(&verifier, Record::Token(Arc::new(other)));
    assert_eq!(scene.ask.code(&verifier), "credentials_invalid");
    reader.join().unwrap();
}

/// What was taken before, beside and after a growth adds up; only an ask that is in flight at that moment may be forgotten.
fn rate_limit() {
    let mut scene = Scene::new();
    scene.token.rate_limit = rate(4, 3_600);
    let verifier = Arc::new(scene.verifier());
    let reader = {
        let (verifier, ask) = (Arc::clone(&verifier), scene.ask.clone());
        thread::spawn(move || (0..3).filter(|_| ask.code(&verifier) == "allow").count())
    };
    fill(&verifier, &scene, 0..20);
    let beside = reader.join().unwrap();
    let after = (0..6).filter(|_| scene.ask.code(&verifier) == "allow").count();
    assert_eq!(beside, 3);
    assert!((1..=2).contains(&after), "{after} after {beside} of 4");
}

/// Two tokens that are used and reported at once, with so few uses that lines are freed and taken by the other.
fn uses() {
    let scene = Scene::new();
    let verifier = Arc::new(scene.verifier());
    let secret = secret_record(&minted(2), 1, None);
    let other =
        token(2, &scene.account, "BR00000000000000000000000002", scene.token.access.clone(), vec![secret]);
    apply(&verifier, Record::Token(Arc::new(other)));
    let mut second = scene.ask.clone();
    second.want = crate::scene::Want::Identity;
    second.authorization = Some(crate::scene::bearer(&minted(2)));
    let users: Vec<_> = [scene.ask.clone(), scene.ask.clone(), second]
        .into_iter()
        .map(|ask| {
            let verifier = Arc::clone(&verifier);
            thread::spawn(move || (0..2).for_each(|_| assert_eq!(ask.code(&verifier), "allow")))
        })
        .collect();
    let mut sums = [0, 0];
    let mut add = |taken: Vec<crate::Use>| {
        for one in taken {
            sums[usize::from(one.sid != scene.token.sid)] += one.uses;
        }
    };
    for _ in 0..3 {
        add(verifier.take_uses(10));
    }
    for user in users {
        user.join().unwrap();
    }
    add(verifier.take_uses(10));
    assert_eq!(sums, [4, 2]);
    assert!(verifier.take_uses(10).is_empty());
}

/// At any moment, what was written and what a crash would leave behind is what was used, and never more.
fn uses_left() {
    let scene = Scene::new();
    let verifier = Arc::new(scene.verifier());
    let user = {
        let (verifier, ask) = (Arc::clone(&verifier), scene.ask.clone());
        thread::spawn(move || (0..3).for_each(|_| assert_eq!(ask.code(&verifier), "allow")))
    };
    let (mut written, mut last) = (0, 0);
    for number in 1..=3 {
        let sum = |uses: Vec<crate::Use>| uses.iter().map(|one| one.uses).sum::<u64>();
        let report = sum(verifier.report_uses(number, 10, 10));
        for (committed, stored) in [(number - 1, written), (number, written + report)] {
            let whole = stored + verifier.uses_left_behind(committed);
            assert!((last..=3).contains(&whole), "{whole} after {last}");
            last = whole;
        }
        written += report;
        verifier.settle_uses();
    }
    user.join().unwrap();
    assert_eq!(written + verifier.uses_left_behind(3), 3);
}

/// Loaded, and a lease that is lost: who asks after that is told so.
fn lease() {
    let scene = Scene::new();
    let verifier = Arc::new(scene.verifier());
    verifier.freshness().grant_until(NOW.boot_nanos + 1);
    let reader = {
        let (verifier, ask) = (Arc::clone(&verifier), scene.ask.clone());
        thread::spawn(move || {
            let late = Now { boot_nanos: NOW.boot_nanos + 1, ..NOW };
            assert_eq!(code(&ask.decide(&verifier, late)), Unavailable::LeaseLost.code());
            assert!(matches!(ask.code(&verifier), "allow" | "lease_lost" | "token_disabled"));
        })
    };
    let mut off = scene.token.clone();
    off.enabled = false;
    apply(&verifier, Record::Token(Arc::new(off)));
    verifier.freshness().revoke();
    assert_eq!(scene.ask.code(&verifier), "lease_lost");
    assert_eq!(verifier.applied(), Seq(2));
    reader.join().unwrap();
}
