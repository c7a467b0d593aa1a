//! The audit trail: what is written is read, filtered and paged; every kind of tampering is found.

use countersign_model::actor::Actor;
use countersign_store::{
    AuditDraft, AuditFilter, AuditFinding, Checkpoint, Conflict, Error, Outcome, PageAsk, Write,
};

use crate::world::{World, account_id, at, draft, first, user_id, write};

const ACTIONS: [&str; 6] =
    ["token.create", "token.disable", "session.create", "token.create", "tokens", "token.delete"];

/// Entries 1 to 6, at seconds 1 to 6; the odd ones of account 1.
async fn six() -> World {
    let world = World::new();
    for (n, action) in (1_i64..).zip(ACTIONS) {
        let entry = AuditDraft {
            at: at(n),
            account: (n % 2 == 1).then(|| account_id(1)),
            actor: if n == 6 { Actor::Cli } else { Actor::User(user_id(n.unsigned_abs())) },
            subject: format!("subject {n}"),
            outcome: if n == 3 { Outcome::Refused } else { Outcome::Done },
            ..draft(action)
        };
        world.commit(Write::new(entry)).await;
    }
    world
}

async fn finding(world: &World) -> AuditFinding {
    let mut heard = Vec::new();
    let found = world.store.verify_audit(&mut |done, all| heard.push((done, all))).await.unwrap();
    if let AuditFinding::Whole { entries } = found {
        assert_eq!(heard.last(), Some(&(entries, entries)));
    }
    found
}

#[tokio::test]
async fn what_is_written_is_read() {
    let world = World::new();
    let written = draft("token.create");
    assert_eq!(world.commit(Write::new(written.clone())).await.audit_number, 1);
    let read = world.store.audit_from(1, 10).await.unwrap().remove(0);
    assert_eq!(
        (read.at, read.actor, read.request_id, read.account, read.outcome),
        (written.at, written.actor, written.request_id, written.account, written.outcome)
    );
    assert_eq!((read.actor_label, read.action.as_str()), (written.actor_label, written.action));
    assert_eq!((read.subject, read.subject_label), (written.subject, written.subject_label));
    assert_eq!((read.before, read.after), (written.before, written.after));
    assert_eq!((read.previous_hash, read.hash.len()), ("0".repeat(64), 64));
}

#[tokio::test]
async fn filters_and_pages() {
    let world = six().await;
    let all = AuditFilter::default();
    let action = |action: &str| AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
    let cases = [
        (all.clone(), vec![6, 5, 4, 3, 2, 1]),
        (action("token.create"), vec![4, 1]),
        (action("token."), vec![6, 4, 2, 1]),
        (action("token"), vec![]),
        (action("%"), vec![]),
        (AuditFilter { subject: Some("subject 2".to_owned()), ..all.clone() }, vec![2]),
        (AuditFilter { actor_id: Some(user_id(3).to_string()), ..all.clone() }, vec![3]),
        (AuditFilter { since: Some(at(2)), until: Some(at(4)), ..all.clone() }, vec![3, 2]),
        (AuditFilter { subject: Some("subject 2".to_owned()), since: Some(at(3)), ..all.clone() }, vec![]),
    ];
    for (filter, expected) in cases {
        let page = world.store.audit(&filter, &first(10)).await.unwrap();
        let numbers: Vec<u64> = page.rows.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, expected, "{filter:?}");
        let page = world.store.within(account_id(1)).audit(&filter, &first(10)).await.unwrap();
        let odd: Vec<u64> = expected.into_iter().filter(|number| number % 2 == 1).collect();
        assert_eq!(page.rows.iter().map(|entry| entry.number).collect::<Vec<_>>(), odd, "{filter:?}");
    }
    let (mut ask, mut seen) = (first(2), Vec::new());
    loop {
        let page = world.store.audit(&all, &ask).await.unwrap();
        seen.extend(page.rows.into_iter().map(|entry| entry.number));
        let Some(next) = page.next else { break };
        ask = PageAsk { after: Some(next), limit: 2 };
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn tampering_is_found_where_it_begins() {
    let columns = [
        "at = at + 1",
        "actor_kind = 'cli'",
        "actor_id = null",
        "actor_label = ''",
        "client_address = '203.0.113.8'",
        "request_id = null",
        "account_id = 'acc_other'",
        "action = 'token.enable'",
        "subject = subject || ' '",
        "subject_label = 'x'",
        "outcome = 'refused'",
        "before = '{}'",
        "after = 'null'",
        "previous_hash = zeroblob(32)",
        "hash = zeroblob(32)",
        "hash = x'00'",
        // The same bytes, cut elsewhere.
        "subject = subject || 'S', subject_label = 'ubject'",
    ];
    let mut cases: Vec<(String, u64)> =
        columns.iter().map(|change| (format!("update audit set {change} where number = 5"), 5)).collect();
    let swap = "update audit set number = -2 where number = 2; update audit set number = 2 where number = 4;
                update audit set number = 4 where number = -2";
    let double =
        "insert into audit select 7, at, actor_kind, actor_id, actor_label, client_address, request_id,
                  account_id, action, subject, subject_label, outcome, before, after, previous_hash, hash
                  from audit where number = 6";
    let cases_of_rows = [
        ("delete from audit where number = 3", 3),
        ("delete from audit where number = 1", 1),
        ("delete from audit where number >= 5", 5),
        ("delete from audit", 1),
        (swap, 2),
        (double, 7),
        ("delete from audit where number = 3; update audit set number = number - 1 where number > 3", 3),
        ("update cluster set audit_head = 5", 6),
        ("update cluster set audit_hash = zeroblob(32)", 6),
    ];
    cases.extend(cases_of_rows.map(|(sql, number)| (sql.to_owned(), number)));
    for (sql, expected) in cases {
        let world = six().await;
        assert_eq!(finding(&world).await, AuditFinding::Whole { entries: 6 });
        world.raw().run(&sql);
        match finding(&world).await {
            AuditFinding::Broken { number, reason } => {
                assert_eq!(number, expected, "{sql}: {reason}");
                assert!(!reason.is_empty());
            }
            whole @ AuditFinding::Whole { .. } => panic!("{sql}: {whole:?}"),
        }
    }
}

#[tokio::test]
async fn an_empty_trail_and_a_long_one_are_whole() {
    let world = World::new();
    assert_eq!(finding(&world).await, AuditFinding::Whole { entries: 0 });
    let entries = u64::from(countersign_store::limits::AUDIT_ENTRIES_PER_READ_MAX) * 2;
    let writes: Vec<_> = (0..entries)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move { store.commit(write("token.create")).await })
        })
        .collect();
    for waiting in writes {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(finding(&world).await, AuditFinding::Whole { entries });
    world.commit(write("one.more")).await;
    assert_eq!(finding(&world).await, AuditFinding::Whole { entries: entries + 1 });
}

/// The signature of these is not looked at here; the server makes and checks it.
fn signed(number: u64, hash: &str) -> Checkpoint {
    let hash = blake3::Hash::from_hex(hash).unwrap();
    Checkpoint { number, hash: hash.into(), at: at(100), public_key: vec![1; 32], signature: vec![2; 64] }
}

#[tokio::test]
async fn a_trimmed_trail_still_verifies_and_says_where_it_begins() {
    let world = six().await;
    assert_eq!(world.store.audit_floor().await.unwrap(), None);
    let entries = world.store.audit_from(1, 10).await.unwrap();
    // What is older than second 5, at most three at once; never the newest.
    let cases = [
        (0, 3, at(5), Some(3)),
        (0, 10, at(5), Some(4)),
        (4, 10, at(5), None),
        (0, 10, at(99), Some(5)),
        (5, 10, at(99), None),
    ];
    for (floor, batch, moment, expected) in cases {
        let found = world.store.audit_before(floor, batch, moment).await.unwrap();
        assert_eq!(found.map(|(number, _)| number), expected, "{floor} {batch} {moment}");
    }
    let floor = signed(4, &entries[3].hash);
    for number in [2, 4, 6] {
        world
            .store
            .put_checkpoint(&signed(number, &entries[usize::try_from(number).unwrap() - 1].hash))
            .await
            .unwrap();
    }
    world.commit(Write::new(draft("audit.trim")).trim_audit(0, &floor)).await;
    assert_eq!(world.store.audit_floor().await.unwrap(), Some(floor.clone()));
    assert_eq!(world.store.audit_from(1, 10).await.unwrap()[0].number, 5);
    assert_eq!(finding_after(&world).await, AuditFinding::Whole { entries: 3 });
    let kept = world.store.checkpoints(&first(10)).await.unwrap().rows;
    assert_eq!(kept.iter().map(|checkpoint| checkpoint.number).collect::<Vec<_>>(), [6]);
    let again = world.store.commit(Write::new(draft("audit.trim")).trim_audit(0, &floor)).await;
    assert!(matches!(again, Err(Error::Conflict(Conflict::Stale))), "{again:?}");
    for (sql, expected) in [
        ("delete from audit where number = 5", 5),
        ("update audit_floor set hash = zeroblob(32)", 5),
        ("update audit_floor set number = 3", 4),
        ("update audit_floor set number = 5", 6),
        ("delete from audit where number = 6", 6),
    ] {
        let copy = trimmed(&entries, &floor).await;
        copy.raw().run(sql);
        match finding_after(&copy).await {
            AuditFinding::Broken { number, .. } => assert_eq!(number, expected, "{sql}"),
            whole @ AuditFinding::Whole { .. } => panic!("{sql}: {whole:?}"),
        }
    }
}

async fn trimmed(entries: &[countersign_store::AuditEntry], floor: &Checkpoint) -> World {
    let world = six().await;
    assert_eq!(world.store.audit_from(1, 10).await.unwrap()[3].hash, entries[3].hash, "the same trail");
    world.commit(Write::new(draft("audit.trim")).trim_audit(0, floor)).await;
    world
}

async fn finding_after(world: &World) -> AuditFinding {
    world.store.verify_audit(&mut |_, _| {}).await.unwrap()
}
