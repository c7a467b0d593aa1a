//! T-1, the second half: garbage does not make valid requests dearer. Processor time of one valid decision, alone and
//! while another thread decides about five thousand guesses a second.
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
    secret::SecretFormat,
};
use countersign_server::app::App;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use rustix::time::{ClockId, clock_gettime};

use super::effort::is_full;
use crate::harness::{ADMINISTRATOR, World};

/// What a valid request may cost beside garbage, for each that it costs alone.
const DEARER_AT_MOST: f64 = 1.2;
/// Guesses of one millisecond: five thousand a second.
const GUESSES_PER_MILLI: usize = 5;
const DECISIONS_PER_ROUND: u32 = 500;

fn is_allowed(app: &App, authorization: &[u8], address: u32) -> bool {
    let ask = Ask {
        authorization: Authorization::One(authorization),
        target: Target::Identity,
        version_headers: &[],
        client_address: Some(address.to_be_bytes().into()),
        min_seq: None,
    };
    matches!(app.verifier.decide(&ask, app.clock.now()), Decision::Allow(_))
}

/// Processor time of this thread for one valid decision, in nanoseconds.
fn nanos_per_decision(app: &App, valid: &[u8]) -> f64 {
    let time = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
    };
    let start = time();
    for address in 0..DECISIONS_PER_ROUND {
        assert!(is_allowed(app, valid, address));
    }
    time().saturating_sub(start).as_secs_f64() * 1e9 / f64::from(DECISIONS_PER_ROUND)
}

/// Guesses at its pace until the other end of `over` is gone.
fn flood(app: &App, is_on: &AtomicBool, over: &Receiver<()>, guesses: &AtomicU64) {
    let (format, mut random) = (SecretFormat::standard(), ChaCha20Rng::seed_from_u64(1));
    while over.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
        if is_on.load(Ordering::Relaxed) {
            for _ in 0..GUESSES_PER_MILLI {
                let secret = format.mint(&mut |bytes| random.fill_bytes(bytes));
                let guess = format!("Bearer {}", secret.expose());
                assert!(!is_allowed(app, guess.as_bytes(), random.next_u32()), "a guess hit");
                guesses.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_does_not_make_valid_requests_dearer() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let valid = format!("Bearer {}", world.token(&account, &ada, "Valid", &[]).await);
    let rounds = if is_full() { 4_000 } else { 400 };
    let app = Arc::clone(&world.app);
    let (is_on, guesses) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    tokio::task::block_in_place(|| {
        thread::scope(|scope| {
            let (running, over) = mpsc::channel();
            let (app, is_on, guesses) = (&app, &is_on, &guesses);
            scope.spawn(move || flood(app, is_on, &over, guesses));
            // In turns, so that whatever else the machine does is in both.
            for round in 0..rounds {
                let with_garbage = round % 2 == 1;
                is_on.store(with_garbage, Ordering::Relaxed);
                let nanos = nanos_per_decision(app, valid.as_bytes());
                if with_garbage { beside.push(nanos) } else { alone.push(nanos) }
            }
            drop(running);
        });
    });
    let (alone, beside, guesses) = (median(alone), median(beside), guesses.into_inner());
    println!(
        "T-1: a valid decision takes {alone:.0} ns alone, {beside:.0} ns beside garbage ({guesses} guesses, 0 hits)"
    );
    assert!(guesses > 100, "there was hardly any garbage");
    assert!(beside <= alone * DEARER_AT_MOST, "{alone:.0} ns alone, {beside:.0} ns beside garbage");
}
