//! While one thread applies changes and others ask: an ask that starts after `apply` returned is decided by the change,
//! and a change that does not concern a token never denies it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use countersign_model::change::{Change, Record, Seq};
use countersign_verify::Verifier;

use crate::{
    measure::Deadline,
    scene::{NOW, Scene, account, code, minted, scoped, secret_record, token},
};

const READERS: usize = 3;
/// Rounds at least, however short the time.
const ROUNDS_MIN: u64 = 500;
/// Rounds at most: the full count.
const FULL_ROUNDS: u64 = 100_000;

/// Says that all is over, also when a reader failed, so that nobody waits for it.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs a writer against readers. The writer is told the round, and whether all is over.
fn race(mut write: impl FnMut(u64, &AtomicBool), read: impl Fn() + Sync) -> u64 {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let _over = Over(&over);
                while !over.load(Ordering::SeqCst) {
                    read();
                }
            });
        }
        let _over = Over(&over);
        let (deadline, mut round) = (Deadline::start(), 0);
        while !over.load(Ordering::SeqCst)
            && round < FULL_ROUNDS
            && (round < ROUNDS_MIN || !deadline.is_over())
        {
            write(round, &over);
            round += 1;
        }
        round
    })
}

fn put(verifier: &Verifier, record: Record) {
    verifier.apply(&Change { seq: Seq(verifier.applied().0 + 1), record }).unwrap();
}

#[test]
fn nothing_is_allowed_after_the_answer_disabled() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let (enabled, mut disabled) = (Arc::new(scene.token.clone()), scene.token.clone());
    disabled.enabled = false;
    let disabled = Arc::new(disabled);
    // Even: enabled. Counted up before a change begins and after it returned, so that four steps make a round.
    let step = AtomicU64::new(0);
    let checked = AtomicU64::new(0);
    let rounds = race(
        |_, over| {
            step.fetch_add(1, Ordering::SeqCst);
            put(&verifier, Record::Token(Arc::clone(&disabled)));
            step.fetch_add(1, Ordering::SeqCst);
            // Not before a reader asked in this state; the readers do not know when it begins.
            let seen = checked.load(Ordering::SeqCst);
            while checked.load(Ordering::SeqCst) == seen && !over.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            step.fetch_add(1, Ordering::SeqCst);
            put(&verifier, Record::Token(Arc::clone(&enabled)));
            step.fetch_add(1, Ordering::SeqCst);
        },
        || {
            let before = step.load(Ordering::SeqCst);
            let answer = scene.ask.code(&verifier);
            let after = step.load(Ordering::SeqCst);
            match before % 4 {
                // Disabled was answered before this ask began, and enabling had not begun when it ended.
                2 if before == after => {
                    assert_eq!(answer, "token_disabled");
                    checked.fetch_add(1, Ordering::SeqCst);
                }
                0 if before == after => assert_eq!(answer, "allow"),
                _ => assert!(matches!(answer, "allow" | "token_disabled"), "{answer}"),
            }
        },
    );
    println!(
        "{rounds} rounds, {} asks between the answer and the next change",
        checked.load(Ordering::Relaxed)
    );
}

#[test]
fn edits_resets_and_other_tokens_never_deny_a_right_secret() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    let ends_at = Some(NOW.wall.plus_secs(3_600));
    let kept = scene.token.secrets[0].clone();
    let other_owner = account(7, "brand");
    let asked = AtomicU64::new(0);
    let ask = scene.ask.clone();
    let rounds = race(
        |round, _| {
            // The kept secret is now first, now second, now alone, beside ever new ones.
            let new = secret_record(&minted(round + 100), 2, None);
            let mut old = kept.clone();
            old.ends_at = ends_at;
            scene.token.secrets = match round % 3 {
                0 => vec![new, old],
                1 => vec![kept.clone(), new],
                _ => vec![kept.clone()],
            };
            scene.token.name = format!("Token {round}");
            put(&verifier, Record::Token(Arc::new(scene.token.clone())));
            let secret = secret_record(&minted(round + 1_000_000), 1, None);
            let other =
                token(u128::from(round) + 10, &other_owner, &format!("BR{round}"), scoped(&[]), vec![secret]);
            put(&verifier, Record::Token(Arc::new(other)));
            if round >= 100 {
                put(&verifier, Record::TokenGone(crate::scene::sid(&format!("BR{}", round - 100))));
            }
            if round % 1_000 == 999 {
                verifier.load(verifier.applied(), scene.records());
            }
        },
        || {
            assert_eq!(code(&ask.decide(&verifier, NOW)), "allow");
            asked.fetch_add(1, Ordering::Relaxed);
        },
    );
    println!("{rounds} rounds of edits, {} asks, all allowed", asked.load(Ordering::Relaxed));
}
