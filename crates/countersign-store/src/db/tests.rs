//! What cannot be brought about from outside: a full disk, and a search that would look at too much.

use super::*;
use crate::{
    AuditFinding, Store, TokenFilter,
    world::{account, account_id, at, first, opening, person, server::Database, token, user_id, write},
};

const ADMINISTRATOR: &str = crate::world::ADMINISTRATOR;

async fn seeded(directory: &Path) -> Store {
    let store = Store::open_sqlite(&directory.join("countersign.db"), &opening()).unwrap();
    let seed = write("seed").insert_account(&account(1)).insert_person(&person(1)).insert_member(
        account_id(1),
        user_id(1),
        ADMINISTRATOR,
        at(0),
    );
    store.commit(seed).await.unwrap();
    store
}

async fn limit_pages(store: &Store, sql: &'static str) {
    store.db().quiet(vec![Statement::new(sql, Vec::new())]).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let store = seeded(directory.path()).await;
    // SQLite refuses to grow beyond this, with the very error of a full disk.
    limit_pages(&store, "pragma max_page_count = 1").await;
    let mut kept = 1;
    let full = loop {
        assert!(kept < 2_000, "the disk never filled");
        match store.commit(write("token.create").insert_token(&token(kept))).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&full, Error::Unavailable(told) if told.contains("disk is full")), "{full}");
    let many: Vec<_> = (5_000..5_500).map(token).collect();
    assert!(matches!(store.commit(write("import").insert_tokens(&many)).await, Err(Error::Unavailable(_))));
    let seen = store.within(account_id(1)).token_count().await.unwrap();
    assert_eq!(u64::from(seen), kept - 1, "what was refused left nothing");
    limit_pages(&store, "pragma max_page_count = 1000000").await;
    store.commit(write("token.create").insert_token(&token(kept))).await.unwrap();
    let found = store.verify_audit(&mut |_, _| ()).await.unwrap();
    assert_eq!(found, AuditFinding::Whole { entries: kept + 1 });
    assert_eq!(store.snapshot().await.unwrap().head, Seq(kept + 1));
}

#[tokio::test]
async fn a_read_without_end_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let store = seeded(directory.path()).await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) as i from n";
    let read = store.db().row(Query::new(endless, Vec::new()), |row| row.integer("i")).await;
    assert!(matches!(&read, Err(Error::Unavailable(told)) if told.contains("ask for less")), "{read:?}");
    // The reader is as good as before.
    for _ in 0..READERS * 2 {
        assert!(store.within(account_id(1)).tokens(&TokenFilter::default(), &first(1)).await.is_ok());
    }
}

#[tokio::test]
async fn a_read_without_end_is_given_up_by_a_server_too() {
    let database = Database::new();
    let store = Store::open_postgres(&database.url(), &opening()).unwrap();
    let endless = "with recursive n(i) as (select cast(1 as bigint) union all select i + 1 from n) select max(i) as i from n";
    let read = store.db().row(Query::new(endless, Vec::new()), |row| row.integer("i")).await;
    assert!(matches!(&read, Err(Error::Unavailable(told)) if told.contains("ask for less")), "{read:?}");
    for _ in 0..READERS * 2 {
        assert!(store.within(account_id(1)).tokens(&TokenFilter::default(), &first(1)).await.is_ok());
    }
    let seed = write("seed").insert_account(&account(1)).insert_person(&person(1));
    store.commit(seed).await.unwrap();
    let deleting = Query::new("delete from people returning id", Vec::new());
    assert!(store.db().row(deleting, |_| Ok(())).await.is_err());
    assert!(store.person(user_id(1)).await.unwrap().is_some(), "a reader cannot write");
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = seeded(directory.path()).await;
    let deleting = Query::new("delete from people returning id", Vec::new());
    assert!(store.db().row(deleting, |_| Ok(())).await.is_err());
    assert!(store.person(user_id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_files_are_for_their_user_alone_whatever_the_directory_lets_in() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = seeded(directory.path()).await;
    store.backup_to(&directory.path().join("copy.db")).await.unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        files += 1;
    }
    assert!(files >= 4, "database, log, index of the log, lock and copy; found {files}");
}
