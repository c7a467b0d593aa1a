//! Somebody edits the audit trail: one bit, one number, one row at a time, and everything is found (T-30). As many
//! mutations as fit into the time of the test, 100,000 where the full count is asked for.
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::time::{Duration, Instant};

use countersign_model::actor::Actor;
use countersign_store::{AuditDraft, AuditFinding, Write};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use rusqlite::types::Value;

use crate::world::{
    World, account_id, at, draft,
    raw::{Raw, literal},
    user_id,
};

const ENTRIES: u64 = 20;
const MUTATIONS: u32 = 100_000;
const SECONDS_WITHOUT_BUDGET: u64 = 2;

fn seconds() -> Option<Duration> {
    if std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1") {
        return None;
    }
    let seconds = std::env::var("COUNTERSIGN_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or(SECONDS_WITHOUT_BUDGET)))
}

type Row = Vec<Value>;

/// Writes exactly these rows; false where the schema itself refuses one.
fn write(raw: &Raw, rows: &[Row]) -> bool {
    let mut sql = "begin; delete from audit;".to_owned();
    for row in rows {
        let values: Vec<String> = row.iter().map(literal).collect();
        sql += "insert into audit values (";
        sql += &values.join(", ");
        sql += ");";
    }
    let written = raw.try_run(&(sql + "commit")).is_ok();
    if !written {
        raw.run("rollback");
    }
    written
}

/// The trail after one mutation, and what it was.
fn mutated(trail: &[Row], dice: &mut ChaCha8Rng) -> (Vec<Row>, String) {
    let mut rows = trail.to_vec();
    let at = dice.next_u32() as usize % rows.len();
    let number = rows[at][0].clone();
    let what = match dice.next_u32() % 10 {
        0 => {
            rows.remove(at);
            "removed".to_owned()
        }
        1 => {
            let mut added = rows[at].clone();
            added[0] = Value::Integer(i64::try_from(rows.len()).unwrap() + 1);
            rows.push(added);
            "repeated at the end".to_owned()
        }
        2 => {
            let other = (at + 1) % rows.len();
            let theirs = std::mem::replace(&mut rows[other][0], number.clone());
            rows[at][0] = theirs;
            "changed places with the next".to_owned()
        }
        _ => {
            let column = 1 + dice.next_u32() as usize % (rows[at].len() - 1);
            rows[at][column] = near(&rows[at][column], dice);
            format!("changed in column {column}")
        }
    };
    (rows, format!("entry {number:?} {what}"))
}

/// Another value of the same type, as near as one can be.
fn near(value: &Value, dice: &mut ChaCha8Rng) -> Value {
    let mut flip = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = dice.next_u32() as usize % bytes.len();
        bytes[at] ^= 1 << (dice.next_u32() % 7);
        bytes
    };
    match value {
        Value::Integer(number) => Value::Integer(number ^ 1),
        Value::Text(text) if text.is_empty() => Value::Text(" ".to_owned()),
        Value::Text(text) => Value::Text(String::from_utf8_lossy(&flip(text.as_bytes())).into_owned()),
        Value::Blob(bytes) => Value::Blob(flip(bytes)),
        Value::Null | Value::Real(_) => Value::Text("x".to_owned()),
    }
}

#[tokio::test]
async fn every_mutation_of_the_trail_is_found() {
    let world = World::new();
    for number in 1..=ENTRIES {
        let entry = AuditDraft {
            at: at(i64::try_from(number).unwrap()),
            account: number.is_multiple_of(2).then(|| account_id(1)),
            actor: if number.is_multiple_of(3) { Actor::Cli } else { Actor::User(user_id(number)) },
            subject: format!("subject {number}"),
            ..draft("token.create")
        };
        world.commit(Write::new(entry)).await;
    }
    let connection = world.raw();
    if matches!(connection, Raw::Sqlite(_)) {
        connection.run("pragma synchronous = off");
    }
    let mut dice = ChaCha8Rng::seed_from_u64(30);
    let trail = connection.rows("select * from audit order by number");
    let (started, budget, mut done) = (Instant::now(), seconds(), 0);
    while done < MUTATIONS && budget.is_none_or(|budget| started.elapsed() < budget) {
        let (changed, what) = mutated(&trail, &mut dice);
        // What the schema itself refuses cannot be written, so nothing needs to find it.
        if !write(&connection, &changed) {
            continue;
        }
        let found = world.store.verify_audit(&mut |_, _| {}).await.unwrap();
        assert!(matches!(found, AuditFinding::Broken { .. }), "{what}: {found:?}");
        done += 1;
    }
    assert!(write(&connection, &trail));
    assert!(matches!(world.store.verify_audit(&mut |_, _| {}).await.unwrap(), AuditFinding::Whole { .. }));
    println!("T-30: {done} mutations of the audit trail, all found");
    assert!(done >= 100, "only {done} mutations");
}
