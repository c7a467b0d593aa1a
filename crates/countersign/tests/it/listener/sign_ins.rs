//! T-3: a flood of sign-ins. Every one of them is answered or told to come later, memory stays within what the hashing
//! threads need, and what a check costs the data plane's threads stays what it was.

use std::{sync::Arc, time::Duration};

use http::Method;
use serde_json::{Value, json};

use super::{count, process::Process};
use crate::{
    client::Client,
    installation::{Installation, Server},
    platform::{ask_of, asking, brand_account, decide, gateway, token},
};

const ASKS: u32 = 4_000;
const ROUNDS: usize = 3;
/// What a flood may take. Measured are 20 MiB: one hash (19 MiB) at a time, and what a thousand connections need.
const MEMORY_KIB: u64 = 2 * 46 * 1_024;

/// Sign-ins of people who are not there, each over a connection of its own. Answers what they were told.
async fn sign_in(server: &Server, number: usize) -> u16 {
    let body =
        json!({ "email": format!("somebody{number}@brand.example"), "password": "not the passphrase" });
    let mut browser = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
    browser.ask(Method::POST, "/api/v1/session", Some(&body)).await.status.as_u16()
}

/// Many at once.
fn flood(server: &Arc<Server>) -> impl Future<Output = Vec<u16>> + Send + use<> {
    let sign_ins: Vec<_> = (0..count(1_000, 300))
        .map(|number| {
            let server = Arc::clone(server);
            tokio::spawn(async move { sign_in(&server, number).await })
        })
        .collect();
    async move {
        let mut told = Vec::new();
        for one in sign_ins {
            told.push(one.await.unwrap());
        }
        told
    }
}

/// What an ask costs the threads of the data plane.
async fn cost(server: &Server, process: &Process, gateway: &str, question: &Value) -> Duration {
    let mut client = asking(server, gateway).await;
    let before = process.time_of("data-plane");
    for _ in 0..ASKS {
        assert_eq!(decide(&mut client, question).await, Ok(()), "a check failed beside sign-ins");
    }
    process.time_of("data-plane").saturating_sub(before) / ASKS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_sign_ins_costs_checks_nothing() {
    let installation = Installation::empty();
    let server = Arc::new(installation.serve());
    brand_account(&installation, &server).await;
    let (gateway, token) = (gateway(&installation), token(&installation, "Reader"));
    let (process, question) = (Process::of(&server), ask_of(&token));
    cost(&server, &process, &gateway, &question).await;
    let memory = process.own_memory_kib();
    let (mut alone, mut beside, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let mut most = 0;
    // Taking turns, because the machine is not always as fast.
    for _ in 0..ROUNDS {
        alone.push(cost(&server, &process, &gateway, &question).await);
        let sign_ins = tokio::spawn(flood(&server));
        beside.push(cost(&server, &process, &gateway, &question).await);
        most = most.max(process.own_memory_kib());
        told.extend(sign_ins.await.unwrap());
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let (alone, beside) = (middle(&mut alone), middle(&mut beside));
    let hashed = told.iter().filter(|status| **status == 401).count();
    println!(
        "T-3: {} sign-ins, {hashed} judged and the others told to come later; a check costs {alone:?} alone and {beside:?} \
         beside them; {memory} KiB before, {most} KiB at most",
        told.len()
    );
    assert!(told.iter().all(|status| matches!(status, 401 | 429 | 503)), "{told:?}");
    assert!(hashed > 0, "nobody was judged");
    assert!(most <= memory + MEMORY_KIB, "{memory} KiB before, {most} KiB at most");
    // The bar is 1.2; the rest is for a cache and a processor that sign-ins and other tests share.
    assert!(beside <= alone.mul_f64(1.2) + Duration::from_micros(10), "{alone:?} alone, {beside:?} beside");
}
