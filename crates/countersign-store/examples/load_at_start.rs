//! Measures how long a start reads: a database with many tokens is made, then everything in it is checked alone, and
//! checked and read as a start does. `cargo run --profile long -p countersign-store --example load_at_start [TOKENS]
//! [DIRECTORY]`.
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

use std::time::Instant;

use countersign_store::{Account, Store};

/// Tokens of one import, as one write.
const AT_ONCE: u64 = 2_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let tokens: u64 = arguments.next().map_or(100_000, |count| count.into_string().unwrap().parse().unwrap());
    let directory = tempfile::tempdir_in(arguments.next().unwrap_or_else(|| ".".into())).unwrap();
    let path = directory.path().join("countersign.db");
    let store = Store::open_sqlite(&path, &world::opening()).unwrap();
    let account = Account { token_limit: u32::MAX, ..world::account(1) };
    let seed = world::write("seed").insert_account(&account).insert_person(&world::person(1)).insert_member(
        world::account_id(1),
        world::user_id(1),
        world::ADMINISTRATOR,
        world::at(0),
    );
    store.commit(seed).await.unwrap();
    let began = Instant::now();
    for first in (1..=tokens).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let some: Vec<_> = (first..(first + AT_ONCE).min(tokens + 1)).map(world::token).collect();
        store.commit(world::write("import").insert_tokens(&some)).await.unwrap();
    }
    println!("{tokens} tokens imported in {:?}", began.elapsed());
    store.sweep(world::at(0)).await.unwrap();
    store.close().await.unwrap();
    let began = Instant::now();
    Store::inspect_sqlite(&path, &world::opening()).unwrap();
    println!("checked in {:?}", began.elapsed());
    let began = Instant::now();
    let store = Store::open_sqlite(&path, &world::opening()).unwrap();
    let opened = began.elapsed();
    let snapshot = store.snapshot().await.unwrap();
    println!(
        "opened in {opened:?}; checked and read {} records in {:?}",
        snapshot.records.len(),
        began.elapsed().saturating_sub(opened)
    );
}
