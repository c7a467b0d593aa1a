//! Accounts: what is written is read, conflicts, search and pages.

use countersign_model::{change::Record, name::PersonName};
use countersign_store::{Account, AccountFilter, AccountState, Conflict, PageAsk, RevealPolicy};

use crate::world::{World, account, account_id, at, first, write};

#[tokio::test]
async fn what_is_written_is_read() {
    let world = World::new();
    let written = Account {
        state: AccountState::Suspended,
        api_access: false,
        legacy_tokens: false,
        reveal: RevealPolicy::Once,
        ..account(1)
    };
    world.commit(write("account.create").insert_account(&written)).await;
    let read = world.store.account(account_id(1)).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{written:?}"));
    assert_eq!(world.store.account_by_external_id("crm-1").await.unwrap().unwrap().id, written.id);
    assert!(world.store.account_by_external_id("CRM-1").await.unwrap().is_none());
    assert!(world.store.account(account_id(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn an_update_moves_the_edit_number_and_the_feed() {
    let world = World::new();
    world.commit(write("account.create").insert_account(&account(1))).await;
    world.commit(write("account.create").insert_account(&account(2))).await;
    let off = Account { api_access: false, updated_at: at(9), ..account(1) };
    let committed = world.commit(write("account.update").update_account(&off)).await;
    let read = world.store.account(account_id(1)).await.unwrap().unwrap();
    assert_eq!((read.edit, read.api_access, read.updated_at), (2, false, at(9)));
    let change =
        world.store.changes(countersign_model::change::Seq(committed.seq.0 - 1), 9).await.unwrap().remove(0);
    assert!(
        matches!(change.record, Record::Account(record) if !record.api_access && record.id == account_id(1))
    );
    assert_eq!(world.conflict(write("account.update").update_account(&off)).await, Conflict::Stale);
    let taken = Account { external_id: "crm-2".to_owned(), ..read };
    assert_eq!(
        world.conflict(write("account.update").update_account(&taken)).await,
        Conflict::ExternalIdTaken
    );
    let taken = Account { external_id: "crm-2".to_owned(), ..account(3) };
    assert_eq!(
        world.conflict(write("account.create").insert_account(&taken)).await,
        Conflict::ExternalIdTaken
    );
}

#[tokio::test]
async fn lists_are_by_name_in_pages() {
    let world = World::new();
    for (n, name) in [(1, "beta"), (2, "Alpha"), (3, "alpha"), (4, "Gamma/Delta"), (5, "Ünïted")] {
        let kind = if n == 4 { "partner" } else { "brand" };
        let named = Account { name: PersonName::parse(name).unwrap(), kind: kind.to_owned(), ..account(n) };
        world.commit(write("account.create").insert_account(&named)).await;
    }
    let (mut ask, mut seen) = (first(2), Vec::new());
    loop {
        let page = world.store.accounts(&AccountFilter::default(), &ask).await.unwrap();
        seen.extend(page.rows.into_iter().map(|account| account.name.as_str().to_owned()));
        let Some(next) = page.next else { break };
        ask = PageAsk { after: Some(next), limit: 2 };
    }
    assert_eq!(seen, ["Alpha", "alpha", "beta", "Gamma/Delta", "Ünïted"]);
    let search = |text: &str| AccountFilter { search: Some(text.to_owned()), ..AccountFilter::default() };
    let cases = [
        (search("ALPHA"), 2),
        (search("CRM-3"), 1),
        (search("ünÏ"), 1),
        (search("%"), 0),
        (AccountFilter { kind: Some("partner".to_owned()), ..AccountFilter::default() }, 1),
        (AccountFilter { state: Some(AccountState::Suspended), ..AccountFilter::default() }, 0),
    ];
    for (filter, expected) in cases {
        let page = world.store.accounts(&filter, &first(9)).await.unwrap();
        assert_eq!(page.rows.len(), expected, "{filter:?}");
    }
}
