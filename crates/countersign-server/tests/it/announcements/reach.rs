//! Whom an announcement reaches: the table of who is who, seen through the audience of every combination of kinds and
//! versions.

use countersign_model::{id::AccountId, name::EmailAddress};
use countersign_server::ops::addresses::{confirm_link, unsubscribe_link};
use serde_json::{Value, json};

use super::{drafted, path_of, token};
use crate::harness::{ADMINISTRATOR, ANALYST, World};

fn code(link: &str) -> String {
    link.split_once('#').unwrap().1.to_owned()
}

async fn confirm(world: &World, account: &str, email: &str) {
    let account: AccountId = account.parse().unwrap();
    let link =
        confirm_link(&world.app, account, &EmailAddress::parse(email).unwrap()).await.unwrap().unwrap();
    world.browser().post("/api/v1/addresses/confirm", json!({ "code": code(&link) })).await.expect(200);
}

async fn unsubscribe(world: &World, email: &str) {
    let link = unsubscribe_link(&world.app, email);
    world.browser().post("/api/v1/addresses/unsubscribe", json!({ "code": code(&link) })).await.expect(200);
}

async fn account(world: &World, external_id: &str, kind: &str) -> String {
    let new = json!({ "external_id": external_id, "kind": kind, "name": external_id, "api_access": true });
    let made = world.operator.post("/api/v1/accounts", new).await.expect(201).json();
    made["account"]["id"].as_str().unwrap().to_owned()
}

/// Two brands, an agency, a brand without tokens, a brand with legacy credentials only, and one that is suspended.
async fn stage() -> World {
    let world = World::new().await;
    let one = account(&world, "one", "brand").await;
    let ada = world.member(&one, "ada@example.com", ADMINISTRATOR).await;
    world.member(&one, "ben@example.com", ANALYST).await;
    world.member(&one, "silent@example.com", ANALYST).await;
    let developers =
        ["BEN@example.com", "yes@out.example", "Ünsal@out.example", "no@out.example", "bad@out.example"];
    token(&ada, &one, "Old", 13, &developers).await;
    confirm(&world, &one, "yes@out.example").await;
    confirm(&world, &one, "Ünsal@out.example").await;
    countersign_server::ops::addresses::bounced(&world.app, "bad@out.example", "550 no such user")
        .await
        .unwrap();
    let two = account(&world, "two", "brand").await;
    let tom = world.member(&two, "tom@example.com", ADMINISTRATOR).await;
    token(&tom, &two, "New", 14, &["yes@out.example", "a_b@out.example"]).await;
    confirm(&world, &two, "a_b@out.example").await;
    unsubscribe(&world, "tom@example.com").await;
    let agency = account(&world, "agency", "agency").await;
    let kim = world.member(&agency, "kim@example.com", ADMINISTRATOR).await;
    token(&kim, &agency, "New", 3, &["axb@out.example"]).await;
    let empty = account(&world, "empty", "brand").await;
    world.member(&empty, "eve@example.com", ADMINISTRATOR).await;
    world.member(&empty, "nobody@example.com", ANALYST).await;
    let legacy = account(&world, "legacy", "brand").await;
    let lea = world.member(&legacy, "lea@example.com", ADMINISTRATOR).await;
    world.member(&legacy, "clerk@example.com", ANALYST).await;
    lea.request("POST", &format!("/api/v1/accounts/{legacy}/legacy-tokens")).send().await.expect(201);
    let closed = account(&world, "closed", "brand").await;
    let cleo = world.member(&closed, "cleo@example.com", ADMINISTRATOR).await;
    token(&cleo, &closed, "Closed", 13, &[]).await;
    let edit =
        world.operator.get(&format!("/api/v1/accounts/{closed}")).await.json()["edit"].as_u64().unwrap();
    let suspend = json!({ "state": "suspended" });
    world.operator.patch(&format!("/api/v1/accounts/{closed}"), edit, suspend).await.expect(200);
    world
}

/// Address and standing of everybody in the audience, page by page.
async fn everybody(world: &World, more: Value) -> (Vec<String>, Value) {
    let draft = drafted(world, more).await;
    let path = format!("{}/audience", path_of(&draft));
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.operator.get(&format!("{path}?limit=2{after}")).await.expect(200).json();
        for one in page["items"].as_array().unwrap() {
            all.push(format!("{} {}", one["email"].as_str().unwrap(), one["standing"].as_str().unwrap()));
        }
        let Some(next) = page["next"].as_str() else { return (all, page["counts"].clone()) };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn who_is_reached_and_who_is_not_and_why() {
    let world = stage().await;
    let (ada, ben, yes) = ("ada@example.com hears", "ben@example.com hears", "yes@out.example hears");
    let (unsal, no, bad) =
        ("Ünsal@out.example hears", "no@out.example unconfirmed", "bad@out.example bounced");
    let (tom, underscore) = ("tom@example.com unsubscribed", "a_b@out.example hears");
    let (kim, axb) = ("kim@example.com hears", "axb@out.example unconfirmed");
    let (eve, lea) = ("eve@example.com hears", "lea@example.com hears");
    let cases: [(Value, Vec<&str>); 7] = [
        (json!({}), vec![ada, ben, yes, unsal, no, bad, tom, underscore, kim, axb, eve, lea]),
        (json!({ "kinds": ["brand"] }), vec![ada, ben, yes, unsal, no, bad, tom, underscore, eve, lea]),
        (json!({ "kinds": ["agency"] }), vec![kim, axb]),
        (json!({ "kinds": ["partner"] }), vec![]),
        (json!({ "versions": [13] }), vec![ada, ben, yes, unsal, no, bad]),
        (json!({ "versions": [3] }), vec![kim, axb]),
        (json!({ "versions": [13, 14] }), vec![ada, ben, yes, unsal, no, bad, tom, underscore, lea]),
    ];
    for (audience, expected) in cases {
        let (all, counts) = everybody(&world, audience.clone()).await;
        let mut sorted: Vec<&str> = all.iter().map(String::as_str).collect();
        let mut expected = expected;
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected, "{audience}");
        for standing in ["hears", "unsubscribed", "unconfirmed", "bounced", "switched_off"] {
            let due = expected.iter().filter(|one| one.ends_with(&format!(" {standing}"))).count();
            assert_eq!(counts[standing].as_u64().unwrap_or(0), due as u64, "{audience}: {standing}");
        }
    }
}

#[tokio::test]
async fn whoever_is_switched_off_does_not_hear() {
    let world = World::new().await;
    let one = account(&world, "one", "brand").await;
    let ada = world.member(&one, "ada@example.com", ADMINISTRATOR).await;
    token(&ada, &one, "Old", 13, &[]).await;
    let id = crate::harness::user_id(&ada).await;
    let person = format!("/api/v1/people/{id}");
    let edit = world.operator.get(&person).await.expect(200).json()["edit"].as_u64().unwrap();
    world.operator.patch(&person, edit, json!({ "active": false })).await.expect(200);
    let (all, _) = everybody(&world, json!({})).await;
    assert_eq!(all, ["ada@example.com switched_off"]);
}
