//! Announcements: drafts, whom they reach, and that everybody gets one once whatever interrupts the sending.

mod drafts;
mod reach;
mod sending;

use serde_json::{Value, json};

use crate::harness::{Client, World, user_id};

const PATH: &str = "/api/v1/announcements";

/// A draft, as the operator is shown it.
async fn drafted(world: &World, more: Value) -> Value {
    let mut new = json!({ "subject": "Version 15 is here", "body": "Please move on.\n\nThank you." });
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
    }
    world.operator.post(PATH, new).await.expect(201).json()
}

/// The path of one.
fn path_of(announcement: &Value) -> String {
    format!("{PATH}/{}", announcement["id"].as_str().unwrap())
}

/// Sends it as it stands.
async fn send(world: &World, announcement: &Value) {
    let etag = format!("\"{}\"", announcement["edit"]);
    let path = format!("{}/send", path_of(announcement));
    world.operator.request("POST", &path).header("if-match", &etag).send().await.expect(202);
}

/// A token of this version with developer addresses; its maker is its contact.
async fn token(maker: &Client, account: &str, name: &str, version: u16, developers: &[&str]) {
    let new = json!({ "name": name, "primary_contact": user_id(maker).await, "api_version": version,
        "developer_emails": developers });
    maker.post(&format!("/api/v1/accounts/{account}/tokens"), new).await.expect(201);
}
