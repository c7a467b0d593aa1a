//! What was answered is on disk: a process that commits and says so is killed in the middle.
#![allow(clippy::print_stdout, reason = "the killed process tells the test by printing")]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use countersign_model::change::Seq;
use countersign_store::{AuditFinding, Store};

use crate::world::{World, account_id, open, opening, token, token_id, write};

const DATABASE: &str = "COUNTERSIGN_TEST_DATABASE";
const WRITERS: u64 = 8;

/// Writes tokens and prints the number of each when it is answered: a few in a database of its own, or, started by the
/// test below, as many as it can before it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_and_says_so() {
    let Ok(name) = std::env::var(DATABASE) else {
        let world = World::with_account().await;
        write_and_say(&world.store, 5).await;
        assert_eq!(u64::from(world.store.within(account_id(1)).token_count().await.unwrap()), WRITERS * 5);
        return;
    };
    write_and_say(&open(&name, &opening()).unwrap(), u64::MAX / WRITERS - 1).await;
}

async fn write_and_say(store: &Store, each: u64) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..each {
                    let number = 1 + writer + n * WRITERS;
                    store.commit(write("token.create").insert_token(&token(number))).await.unwrap();
                    println!("\nanswered {number}");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    for answers in [1, 100, 400] {
        let world = World::with_account().await;
        let mut roomy = crate::world::account(1);
        roomy.token_limit = u32::MAX;
        world.commit(write("account.update").update_account(&roomy)).await;
        world.store.clone().close().await.unwrap();
        let answered = kill_in_the_middle(&world.place.name(), answers);
        let store = world.open(&opening()).unwrap();
        for number in &answered {
            let kept = store.within(account_id(1)).token(token_id(*number)).await.unwrap();
            assert!(kept.is_some(), "token {number} was answered and is gone");
        }
        let count = u64::from(store.within(account_id(1)).token_count().await.unwrap());
        let head = store.snapshot().await.unwrap().head;
        assert_eq!(head, Seq(count + 2), "two changes of the account, one of each token");
        let changes = store.changes(Seq(0), u32::MAX).await.unwrap();
        assert!(changes.iter().zip(1..).all(|(change, seq)| change.seq == Seq(seq)));
        assert_eq!(changes.last().unwrap().seq, head);
        let found = store.verify_audit(&mut |_, _| ()).await.unwrap();
        assert_eq!(found, AuditFinding::Whole { entries: count + 2 });
        let next = token(count + 1_000_000);
        store.commit(write("token.create").insert_token(&next)).await.unwrap();
    }
}

/// Starts this very program as the writer, waits for so many answers, kills it, and reads what else it had printed.
fn kill_in_the_middle(name: &str, answers: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writes_and_says_so", "--nocapture"])
        .env(DATABASE, name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answered = Vec::new();
    let mut killed = false;
    while let Some(Ok(line)) = lines.next() {
        // The last line may be cut short; the number in it was answered only if its end is there.
        answered.extend(line.strip_prefix("answered ").and_then(|number| number.parse::<u64>().ok()));
        if answered.len() >= answers && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the writer ended by itself after {} answers", answered.len());
    child.wait().unwrap();
    answered
}
