//! What is only of a file: one that is no database, one whose pages somebody edits, and one that another program commits
//! to while it is open.

use countersign_model::digest::Digest;
use countersign_store::{Error, Store, TokenFilter, Write};

use crate::{
    evidence::{closed, open, session, told, world_token},
    world::{account_id, digest, first, opening, user_id, write},
};

#[tokio::test]
async fn what_is_no_database_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countersign.db");
    std::fs::write(&path, "this is a letter, not a database; it is long enough to look at".repeat(20))
        .unwrap();
    assert!(matches!(Store::open_sqlite(&path, &opening()), Err(Error::Corrupt(_))));
    let nowhere = directory.path().join("not/there.db");
    assert!(matches!(Store::open_sqlite(&nowhere, &opening()), Err(Error::Unavailable(_))));
    let found = Store::open_sqlite(&directory.path().join("fresh.db"), &opening()).unwrap();
    assert!(
        found.within(account_id(1)).tokens(&TokenFilter::default(), &first(1)).await.unwrap().rows.is_empty()
    );
}

#[tokio::test]
async fn an_index_that_answers_with_another_row_is_not_believed() {
    let unasked: Digest = digest("neither");
    let world = closed().await;
    let store = open(&world).unwrap();
    assert!(store.session(unasked).await.unwrap().is_none());
    store.close().await.unwrap();
    // The index is the only place of the file where the tag stands before the id of its session.
    let mut bytes = std::fs::read(world.path()).unwrap();
    let row = session("yours", 2);
    let entry = [row.tag.as_bytes().as_slice(), row.id.to_string().as_bytes()].concat();
    let places: Vec<usize> =
        (0..bytes.len() - entry.len()).filter(|place| bytes[*place..].starts_with(&entry)).collect();
    assert!(!places.is_empty(), "the index entry is in the file");
    for place in places {
        bytes[place..place + 32].copy_from_slice(unasked.as_bytes());
    }
    std::fs::write(world.path(), bytes).unwrap();
    let store = open(&world).unwrap();
    let refused = told(store.session(unasked).await);
    assert!(refused.contains("not asked for") || refused.contains("table sessions"), "{refused}");
}

#[tokio::test]
async fn a_foreign_commit_stops_all_writing_and_is_never_stamped_as_ours() {
    let world = closed().await;
    let store = open(&world).unwrap();
    let raw = world.raw();
    raw.run("update people set operator = 1");
    let refused = told(store.commit(write("token.update").update_token(&world_token(&store).await)).await);
    assert!(refused.contains("another program wrote to the database"), "{refused}");
    assert!(
        told(store.commit(Write::new(crate::world::draft("session.end"))).await).contains("another program")
    );
    assert!(told(store.person(user_id(1)).await).contains("another program"), "nothing is believed any more");
    store.close().await.unwrap();
    drop(raw);
    let store = open(&world).unwrap();
    assert!(told(store.snapshot().await).contains("table people"));
}
