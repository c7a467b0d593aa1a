//! Measures durable changes per second: 64 callers, each changing a token of its own as fast as it is answered, for
//! ten seconds. `cargo run --release -p countersign-store --example changes_per_second [DIRECTORY]`; the directory
//! decides which disk is measured. With `postgres` instead of a directory: on a server of its own in the temporary directory.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this is a measurement"
)]

#[path = "../tests/it/world.rs"]
#[allow(dead_code, clippy::panic, clippy::expect_used, reason = "the measurement uses its part")]
mod world;

const ENGINE: world::Engine = world::Engine::Sqlite;

use std::time::{Duration, Instant};

use countersign_store::{Store, TokenState};

const CALLERS: u64 = 64;
const LENGTH: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let place = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let (server, directory);
    let store = if place == "postgres" {
        server = world::server::Server::start(&[]);
        Store::open_postgres(&server.url("postgres"), &world::opening()).unwrap()
    } else {
        directory = tempfile::tempdir_in(place).unwrap();
        Store::open_sqlite(&directory.path().join("countersign.db"), &world::opening()).unwrap()
    };
    let tokens: Vec<_> = (1..=CALLERS).map(world::token).collect();
    let seed = world::write("seed")
        .insert_account(&world::account(1))
        .insert_person(&world::person(1))
        .insert_member(world::account_id(1), world::user_id(1), world::ADMINISTRATOR, world::at(0))
        .insert_tokens(&tokens);
    store.commit(seed).await.unwrap();
    let began = Instant::now();
    let callers: Vec<_> = tokens
        .into_iter()
        .map(|mut token| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while began.elapsed() < LENGTH {
                    token.state = match token.state {
                        TokenState::Enabled => TokenState::Disabled,
                        TokenState::Disabled => TokenState::Enabled,
                    };
                    let asked = Instant::now();
                    store.commit(world::write("token.update").update_token(&token)).await.unwrap();
                    waits.push(asked.elapsed());
                    token.edit += 1;
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for caller in callers {
        waits.extend(caller.await.unwrap());
    }
    let rate = u128::from(waits.len() as u64) * 1_000 / began.elapsed().as_millis();
    waits.sort_unstable();
    let at = |percent: usize| waits[waits.len() * percent / 100];
    println!(
        "{rate} durable changes a second from {CALLERS} callers; half waited {:?} or less, 99 of 100 {:?}",
        at(50),
        at(99)
    );
}
