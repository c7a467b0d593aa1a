//! The change feed: gap-free and in order under many writers, a snapshot is the sum of all changes, old changes go.

use countersign_model::change::{Record, Seq};
use countersign_store::{Conflict, Error, TokenState};

use crate::world::{World, token, write};

#[tokio::test]
async fn records_are_as_the_verifier_needs_them() {
    let world = World::with_account().await;
    let created = world.commit(write("token.create").insert_token(&token(1))).await;
    assert_eq!(created.seq, Seq(2));
    let mut disabled = token(1);
    disabled.state = TokenState::Disabled;
    world.commit(write("token.disable").update_token(&disabled)).await;
    disabled.edit = 2;
    world.commit(write("token.delete").delete_token(&disabled)).await;
    let unchanged = world.commit(write("session.create")).await;
    assert_eq!(unchanged.seq, Seq(4), "a write without changes answers the head");
    let changes = world.store.changes(Seq(0), 10).await.unwrap();
    let [one, two, three, four] = &changes[..] else { panic!("{changes:?}") };
    assert!(matches!(&one.record, Record::Account(record) if record.active && record.kind == "brand"));
    assert!(matches!(&two.record, Record::Token(record)
        if record.enabled && record.sid == token(1).sid && record.secrets[0].digest == token(1).secrets[0].digest));
    assert!(matches!(&three.record, Record::Token(record) if !record.enabled));
    assert!(matches!(&four.record, Record::TokenGone(sid) if *sid == token(1).sid));
    assert_eq!(
        world.store.changes(Seq(1), 2).await.unwrap().iter().map(|c| c.seq.0).collect::<Vec<_>>(),
        [2, 3]
    );
    assert!(world.store.changes(Seq(4), 2).await.unwrap().is_empty());
    let ahead = world.store.changes(Seq(5), 2).await;
    assert!(matches!(ahead, Err(Error::Conflict(Conflict::Stale))), "a number this store never gave");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_sees_every_change_in_order() {
    const WRITERS: u64 = 16;
    const EACH: u64 = 40;
    let world = World::with_account().await;
    let mut head = world.store.watch_head();
    let start = *head.borrow();
    let store = world.store.clone();
    let follower = tokio::spawn(async move {
        let (mut after, mut seen) = (start, Vec::new());
        while seen.len() < usize::try_from(WRITERS * EACH).unwrap() {
            let changes = store.changes(after, 7).await.unwrap();
            if changes.is_empty() {
                head.changed().await.unwrap();
            }
            for change in changes {
                assert_eq!(change.seq, after.next());
                after = change.seq;
                let Record::Token(record) = change.record else { panic!("only tokens are written") };
                seen.push((change.seq, record.id));
            }
        }
        seen
    });
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let mut answered = Vec::new();
                for n in 0..EACH {
                    let token = token(1 + writer * EACH + n);
                    let committed = store.commit(write("token.create").insert_token(&token)).await.unwrap();
                    answered.push((committed.seq, token.id));
                }
                answered
            })
        })
        .collect();
    let mut answered = Vec::new();
    for writer in writers {
        answered.extend(writer.await.unwrap());
    }
    answered.sort_unstable();
    assert_eq!(follower.await.unwrap(), answered, "each change has the number its writer was told");
}
