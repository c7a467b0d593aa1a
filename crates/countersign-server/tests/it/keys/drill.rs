//! The drill: everything is rotated under load. Threads verify without a pause, people create and reset tokens, and no
//! right credential is refused and no secret is written in the clear.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use countersign_server::node;
use countersign_store::Rotation;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    rotations::gateway_is_known,
    stage::{Known, Stage, bytes_in, holds, known, verifies},
};
use crate::{harness::user_id, threats::effort::Deadline};

/// Tokens that are made; then they are reset.
const TOKENS: usize = 300;
const THREADS: usize = 2;
const DRILL_SECS: u64 = 15;

/// Creates tokens and then resets them until it is over; answers them, and how often it was asked to come again. That is
/// the only refusal there may be.
async fn work(stage: &Stage, shared: &Mutex<Vec<String>>, over: &AtomicBool) -> (Vec<Known>, u64) {
    let (mut made, mut later): (Vec<Known>, u64) = (Vec::new(), 0);
    let contact = user_id(&stage.ada).await;
    let path = format!("/api/v1/accounts/{}/tokens", stage.account);
    let mut turn = 0;
    while !over.load(Ordering::SeqCst) {
        turn += 1;
        let creates = made.len() < TOKENS && turn % 3 != 0;
        let answer = if creates {
            let new = json!({ "name": format!("Made {turn}"), "primary_contact": contact });
            stage.ada.post(&path, new).await
        } else if let Some(one) = made.get(turn % made.len().max(1)) {
            // Nobody asks with the secret that a reset takes away.
            shared.lock().unwrap().retain(|secret| *secret != one.secret);
            let reset = format!("{path}/{}/reset", one.token.unwrap());
            stage.ada.post(&reset, json!({ "confirm": true })).await
        } else {
            continue;
        };
        if answer.status == 503 {
            assert_eq!(answer.code(), "keys_rotating");
            later += 1;
        }
        let index = turn % made.len().max(1);
        match (creates, answer.status.is_success()) {
            (true, true) => {
                let one = known(&stage.account, &answer.json(), true);
                shared.lock().unwrap().push(one.secret.clone());
                made.push(one);
            }
            (false, true) => {
                answer.json()["secret"].as_str().unwrap().clone_into(&mut made[index].secret);
                shared.lock().unwrap().push(made[index].secret.clone());
            }
            (true, false) => assert_eq!(answer.status, 503, "{}", answer.text()),
            (false, false) => {
                assert_eq!(answer.status, 503, "{}", answer.text());
                shared.lock().unwrap().push(made[index].secret.clone());
            }
        }
        for one in made.last().into_iter().chain(made.get(index)) {
            assert!(verifies(&stage.world.app, &one.secret), "a secret that was just given is refused");
        }
    }
    (made, later)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_rotated_under_load() {
    let mut stage = Stage::new().await;
    let app = Arc::clone(&stage.world.app);
    let stop = CancellationToken::new();
    let task = tokio::spawn(node::rotate(Arc::clone(&app), stop.clone()));
    let shared = Mutex::new(stage.known.iter().map(|known| known.secret.clone()).collect::<Vec<_>>());
    let (over, asks, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let mut rotations = 0;
    let (made, later) = thread::scope(|scope| {
        for reader in 0..THREADS {
            let (app, shared, over, asks, failed) = (&app, &shared, &over, &asks, &failed);
            scope.spawn(move || {
                let mut turn = reader;
                while !over.load(Ordering::SeqCst) {
                    turn += 1;
                    // Held while it is verified, so that nobody resets it in between.
                    let known = shared.lock().unwrap();
                    let secret = &known[turn % known.len()];
                    if !verifies(app, secret) {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                    asks.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let rotate = async {
                    let deadline = Deadline::secs(DRILL_SECS);
                    while rotations < 4 || (!deadline.is_over() && rotations < 200) {
                        let kind = Rotation::ALL[rotations % 4];
                        let asked = json!({ "key": kind.word(), "drop_layered": false });
                        let answer = stage.platform.post("/api/v1/keys/rotations", asked).await;
                        if answer.status == 409 {
                            // The layers of the last one are still being used up.
                            tokio::time::sleep(std::time::Duration::from_millis(50)).await; // poll
                            continue;
                        }
                        answer.expect(202);
                        while stage.keys().await["rotation"]["running"] == true {
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await; // poll
                        }
                        // The gateway calls, as gateways do, so that its tag follows.
                        assert!(gateway_is_known(&app, &stage.gateway));
                        rotations += 1;
                    }
                    over.store(true, Ordering::SeqCst);
                };
                tokio::join!(work(&stage, &shared, &over), rotate).0
            })
        })
    });
    stop.cancel();
    task.await.unwrap();
    println!(
        "drill: {rotations} rotations under {} asks, {} tokens made, {later} asked to come again, {} failed",
        asks.load(Ordering::SeqCst),
        made.len(),
        failed.load(Ordering::SeqCst)
    );
    assert_eq!(failed.load(Ordering::SeqCst), 0);
    assert!(!made.is_empty() && asks.load(Ordering::SeqCst) > 1_000);
    stage.known.extend(made);
    stage.check(&app).await;
    let files = bytes_in(stage.world.directory());
    for known in &stage.known {
        assert!(!holds(&files, known.secret.as_bytes()), "a secret was written in the clear");
    }
}
