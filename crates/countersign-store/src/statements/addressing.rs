//! What account 1 should not learn of the addresses of account 2, nor do to them.

use countersign_model::name::EmailAddress;

use crate::{
    Address, AddressAsk, AddressState, Conflict, Error, Store,
    world::{account_id, at, digest, first, person, write},
};

fn stranger() -> EmailAddress {
    EmailAddress::parse("stranger@example.com").unwrap()
}

fn ask(owner: u64) -> AddressAsk {
    AddressAsk {
        account: account_id(owner),
        email: stranger(),
        language: "en".to_owned(),
        code: digest("code of an address"),
        asked_at: at(0),
        code_expires_at: at(100),
    }
}

/// Account 2 asked an address, account 1 did not.
pub(super) async fn seed(store: &Store) -> Result<(), Error> {
    store.commit(write("address.ask").ask_address(&ask(2))).await.map(|_| ())
}

pub(super) async fn learns(store: &Store) -> Vec<&'static str> {
    let within = store.within(account_id(1));
    let listed = within.addresses(&first(100)).await.unwrap();
    let checks = [
        ("address", within.address(&stranger()).await.unwrap().is_some()),
        ("is_member_address", within.is_member_address(&person(2).email).await.unwrap()),
        ("address_counts", within.address_counts(at(-10)).await.unwrap().known != 0),
        ("addresses", listed.rows.iter().any(|address| address.account != account_id(1))),
    ];
    checks.into_iter().filter(|(_, leaked)| *leaked).map(|(what, _)| what).collect()
}

/// Confirms for account 1 what account 2 asked.
pub(super) async fn confirms(store: &Store) -> Option<&'static str> {
    let asked = store.within(account_id(2)).address(&stranger()).await.unwrap()?;
    let mine = Address { account: account_id(1), ..asked };
    let confirmed = store
        .commit(write("address.confirm").confirm_address(&mine, digest("code of an address"), at(1)))
        .await;
    let refused = matches!(confirmed, Err(Error::Conflict(Conflict::CodeSpent)));
    let untouched = store.within(account_id(2)).address(&stranger()).await.unwrap();
    let still = untouched.is_some_and(|address| address.state == AddressState::Unconfirmed);
    (!refused || !still).then_some("confirm_address")
}
