//! What account 1 should not be told of account 2, and account 2 not of account 1.

use countersign_model::{event::Event, id::DeliveryId, name::EmailAddress};
use serde_json::json;

use crate::{
    AddressAsk, Audience, Committed, Delivery, DeliveryFilter, DeliveryState, Error, Hears, Notice, Store,
    Token,
    world::{account_id, at, digest, first, id, person, token_of, user_id, write},
};

fn notice(owner: u64, n: u64) -> Notice {
    Notice {
        // Ids of deliveries take the last bits of a notice's.
        id: countersign_model::id::Id::from_u128(id::<countersign_model::id::OfNotice>(n).as_u128() << 20),
        at: at(0),
        account: Some(account_id(owner)),
        event: Event::TokenReset,
        token: None,
        label: "Token".to_owned(),
        facts: json!({}),
        once: None,
    }
}

/// Account 2 has one delivery that waits and one that is held.
pub(super) async fn seed(store: &Store) -> Result<(), Error> {
    store.commit(write("seed").post(&notice(2, 1), Audience::Token(&token_of(2, 2)))).await?;
    let elsewhere = AddressAsk {
        account: account_id(2),
        email: EmailAddress::parse("elsewhere@example.com").unwrap(),
        language: "en".to_owned(),
        code: digest("elsewhere"),
        asked_at: at(0),
        code_expires_at: at(100),
    };
    store.commit(write("seed").ask_address(&elsewhere)).await?;
    let asked = store.within(account_id(2)).address(&elsewhere.email).await?.unwrap();
    store.commit(write("seed").confirm_address(&asked, elsewhere.code, at(1))).await.map(|_| ())
}

async fn of_account_2(store: &Store) -> Vec<Delivery> {
    let all = store.deliveries(&DeliveryFilter::default(), &first(100)).await.unwrap();
    all.rows.into_iter().filter(|delivery| delivery.account == Some(account_id(2))).collect()
}

async fn one_of_account_2(store: &Store) -> DeliveryId {
    of_account_2(store)
        .await
        .into_iter()
        .find(|delivery| delivery.state == DeliveryState::Waiting)
        .unwrap()
        .id
}

pub(super) async fn lists_another(store: &Store) -> bool {
    let listed =
        store.within(account_id(1)).deliveries(&DeliveryFilter::default(), &first(100)).await.unwrap();
    listed.rows.iter().any(|delivery| delivery.account != Some(account_id(1)))
}

pub(super) async fn finds_another(store: &Store) -> bool {
    let id = one_of_account_2(store).await;
    store.within(account_id(1)).delivery(id).await.unwrap().is_some()
}

pub(super) async fn retry_another(store: &Store) -> Result<Committed, Error> {
    let id = one_of_account_2(store).await;
    store.commit(write("delivery.retry").retry_delivery(id, Some(account_id(1)))).await
}

/// A token of account 1 names a contact and addresses that are known to account 2 alone.
pub(super) async fn told_wrongly(store: &Store) -> Vec<&'static str> {
    let elsewhere = EmailAddress::parse("elsewhere@example.com").unwrap();
    let token = Token {
        primary_contact: Some(user_id(2)),
        developer_emails: vec![person(2).email, elsewhere],
        ..token_of(1, 1)
    };
    store.commit(write("token.reset").post(&notice(1, 2), Audience::Token(&token))).await.unwrap();
    let told = store.within(account_id(1)).deliveries(&DeliveryFilter::default(), &first(100)).await.unwrap();
    let told = |key: &str| told.rows.iter().find(|delivery| delivery.target == key).map(|found| found.state);
    let hearing = store.within(account_id(1)).hearing().await.unwrap();
    let checks = [
        ("a member elsewhere hears", hearing.of("person2@example.com") != Hears::Unconfirmed),
        ("an address elsewhere hears", hearing.of("elsewhere@example.com") != Hears::Unconfirmed),
        ("a contact of another account is told", told("person2@example.com") != Some(DeliveryState::Held)),
        (
            "an address confirmed elsewhere is told",
            told("elsewhere@example.com") != Some(DeliveryState::Held),
        ),
    ];
    checks.into_iter().filter(|(_, wrong)| *wrong).map(|(what, _)| what).collect()
}
