//! What ends and ages: expiries and maximum lifetimes, overlaps that are ended, API versions, and the reminders of all of
//! them.

mod lifetimes;
mod overlap;
mod reminders;
mod versions;

use serde_json::json;

use crate::tokens::world::{Home, Who, World};

/// Loads the default catalog with something changed in its part about brands.
async fn load_catalog(world: &World, changes: &[(&str, &str)]) {
    let source = countersign_model::catalog::standard_source();
    let (front, brand) = source.split_once("id = \"brand\"\n").unwrap();
    let brand = changes.iter().fold(brand.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the catalog has no {from:?}");
        text.replacen(from, to, 1)
    });
    let source = format!("{front}id = \"brand\"\n{brand}");
    world
        .call(&Who::Operator, http::Method::PUT, "/catalog", &[], Some(json!({ "source": source })))
        .await
        .expect(200);
}

/// The catalog that lets tokens of brands live so many days.
async fn limit_brands(world: &World, days: u16) {
    load_catalog(world, &[("code = \"BR\"\n", &format!("code = \"BR\"\ntoken_lifetime_days = {days}\n"))])
        .await;
}

/// The maximum lifetime of an account, set by its administrator.
async fn limit_account(world: &World, home: &Home, days: serde_json::Value) -> crate::tokens::world::Reply {
    let path = format!("/accounts/{}", home.account);
    let edit = world.get(&home.who, &path).await.expect(200).etag();
    world.patch(&home.who, &path, edit, json!({ "token_lifetime_days": days })).await
}
