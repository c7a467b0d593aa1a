//! A sealed secret opens in its own row and in no other: all pairs of rows, over several accounts.

use countersign_server::sealing::{DataKey, Place};
use countersign_store::KeptSecret;
use serde_json::json;

use super::stage::Stage;
use crate::{
    harness::{ADMINISTRATOR, user_id},
    threats::effort::{Deadline, is_full},
};

const ACCOUNTS: usize = 4;
const ROWS: usize = 1_000;
const ROWS_BOUNDED: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_opens_in_no_other_row() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    let rows = if is_full() { ROWS } else { ROWS_BOUNDED };
    for account in 0..ACCOUNTS {
        let id = stage.world.account(&format!("pairs-{account}")).await;
        let member = stage.world.member(&id, &format!("pairs{account}@example.com"), ADMINISTRATOR).await;
        let contact = user_id(&member).await;
        for number in 0..rows / ACCOUNTS {
            let new = json!({ "name": format!("Token {number}"), "primary_contact": contact });
            member.post(&format!("/api/v1/accounts/{id}/tokens"), new).await.expect(201);
        }
    }
    let mut kept: Vec<KeptSecret> = app.store.sealed_secrets(("", 0), 10_000).await.unwrap();
    kept.truncate(rows);
    let mut keys = Vec::new();
    for one in &kept {
        let account = app.store.account(one.account).await.unwrap().unwrap();
        keys.push(DataKey::unwrap(&app.keys, account.id, &account.data_key.wrapped).unwrap());
    }
    let place =
        |one: &KeptSecret| Place { account: one.account, token: one.token, generation: one.generation };
    let (deadline, mut pairs) = (Deadline::secs(20), 0_u64);
    'all: for (here, row) in kept.iter().enumerate() {
        for (there, sealed) in kept.iter().enumerate() {
            let opened = keys[here].open(place(row), sealed.sealed.as_deref().unwrap());
            assert_eq!(opened.is_ok(), here == there, "{there} in the place of {here}");
            // Whoever also has the key of the other row, and not its place, opens nothing either.
            let opened = keys[there].open(place(row), sealed.sealed.as_deref().unwrap());
            assert_eq!(opened.is_ok(), here == there);
            pairs += 1;
        }
        if deadline.is_over() {
            break 'all;
        }
    }
    println!("{pairs} pairs of {} rows, none opens elsewhere", kept.len());
    assert!(pairs >= 1_000);
}
