//! What is on its way, as lists show it; and which tokens nobody would hear about.

use std::sync::Arc;

use countersign_server::{http::metrics::Metrics, node::Vitals, ops::addresses};
use serde_json::{Value, json};

use super::Stage;
use crate::harness::{ADMINISTRATOR, SPECIALIST, newest_entry, user_id};

/// In the order of the alphabet: the clock stands still, and what was made in one moment stands in any order.
fn names(page: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn row<'p>(page: &'p Value, name: &str) -> &'p Value {
    page["items"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()
}

#[tokio::test]
async fn deliveries_are_shown_filtered_paged_and_retried() {
    let stage = Stage::new().await;
    let path = stage.token("Sync", json!({ "developer_emails": ["dev@example.com"] })).await;
    stage.ada.post(&format!("{path}/disable"), json!({})).await.expect(200);
    let list = |query: &str| stage.path(&format!("/deliveries{query}"));
    let count = async |query: &str| {
        stage.ada.get(&list(query)).await.expect(200).json()["items"].as_array().unwrap().len()
    };
    // The invitation of Ada, the question to the developer, and two notices to two readers.
    assert_eq!(count("").await, 6);
    assert_eq!(count("?state=waiting").await, 3);
    assert_eq!(count("?state=held").await, 2);
    assert_eq!(count("?state=sent").await, 1);
    assert_eq!(count("?channel=webhook").await, 0);
    assert_eq!(count("?event=token.disabled").await, 2);
    let token = path.rsplit('/').next().unwrap();
    assert_eq!(count(&format!("?token_id={token}&event=token.created")).await, 2);
    stage.ada.get(&list("?event=token.eaten")).await.expect_problem(400, "query_invalid");
    stage.ada.get(&list("?token_id=nothing")).await.expect_problem(400, "query_invalid");
    let page = stage.ada.get(&list("?limit=4")).await.expect(200).json();
    let after = page["next"].as_str().unwrap();
    assert_eq!(count(&format!("?limit=4&after={after}")).await, 2);
    stage
        .world
        .operator
        .get(&format!("/api/v1/deliveries?after={after}"))
        .await
        .expect_problem(400, "cursor_invalid");

    let waiting = stage.ada.get(&list("?state=waiting&event=token.disabled")).await.expect(200).json();
    let row = &waiting["items"][0];
    assert_eq!(
        (&row["waits_for"], &row["kind"], &row["tries"]),
        (&json!("no_mail_server"), &json!("contact"), &json!(0))
    );
    let one = list(&format!("/{}", row["id"].as_str().unwrap()));
    let shown = stage.ada.get(&one).await.expect(200).json();
    assert_eq!((&shown["id"], &shown["attempts"]), (&row["id"], &json!([])));
    stage.ada.request("POST", &format!("{one}/retry")).send().await.expect(200);
    let entry = newest_entry(&stage.world).await;
    assert_eq!(
        (entry.action.as_str(), entry.subject.as_str()),
        ("delivery.retry", row["id"].as_str().unwrap())
    );
    let held = stage.ada.get(&list("?state=held")).await.expect(200).json();
    assert_eq!(held["items"][0]["waits_for"], "confirmation");
    for state in ["held", "sent"] {
        let found = stage.ada.get(&list(&format!("?state={state}"))).await.expect(200).json();
        let id = found["items"][0]["id"].as_str().unwrap();
        let again = stage.ada.request("POST", &list(&format!("/{id}/retry"))).send().await;
        again.expect_problem(409, "delivery_not_retriable");
    }
    let other = stage.world.account("two").await;
    let foreign = stage.world.member(&other, "foreign@example.com", ADMINISTRATOR).await;
    let id = row["id"].as_str().unwrap();
    for path in [one.clone(), format!("/api/v1/accounts/{other}/deliveries/{id}")] {
        foreign.get(&path).await.expect(404);
        foreign.request("POST", &format!("{path}/retry")).send().await.expect(404);
    }
    let outbox = stage.world.operator.get("/api/v1/outbox").await.expect(200).json();
    assert_eq!(outbox["mail"]["open"], false);
    assert!(outbox["mail"]["waiting"].as_u64().unwrap() >= 3, "{outbox}");
    stage.world.operator.request("POST", &format!("/api/v1/deliveries/{id}/retry")).send().await.expect(200);
}

#[tokio::test]
async fn what_waits_is_counted_with_its_age() {
    let stage = Stage::new().await;
    let (metrics, vitals) = (Metrics::default(), Vitals::of(Arc::clone(&stage.world.app)));
    let text = async || {
        let (standing, now) = vitals.outbox().await.unwrap();
        metrics.note_outbox(&standing, now);
        metrics.text(0, 0).unwrap()
    };
    let line = |name: &str, channel: &str, value: u64| {
        format!("countersign_outbox_{name}{{channel=\"{channel}\"}} {value}\n")
    };
    let empty = text().await;
    assert!(
        empty.contains(&line("waiting", "mail", 0)) && empty.contains(&line("oldest_seconds", "mail", 0))
    );
    stage.token("Sync", json!({})).await;
    stage.world.clock.advance_secs(90);
    let after = text().await;
    for line in [
        line("waiting", "mail", 1),
        line("oldest_seconds", "mail", 90),
        line("dead", "mail", 0),
        line("waiting", "webhook", 0),
    ] {
        assert!(after.contains(&line), "{line} is not in {after}");
    }
}

#[tokio::test]
async fn tokens_nobody_would_hear_about_are_found() {
    let stage = Stage::new().await;
    let ben = stage.world.member(&stage.account, "ben@example.com", SPECIALIST).await;
    let ben = user_id(&ben).await;
    stage.token("Ada hears", json!({})).await;
    for (name, developers) in [
        ("Nobody", json!([])),
        ("Nobody yet", json!(["Dev@example.com"])),
        ("A developer hears", json!(["Said-Yes@example.com"])),
        ("A member hears", json!(["ADA@example.com"])),
    ] {
        stage.token(name, json!({ "primary_contact": ben, "developer_emails": developers })).await;
    }
    let email = countersign_model::name::EmailAddress::parse("said-yes@example.com").unwrap();
    let link = addresses::confirm_link(&stage.world.app, stage.account.parse().unwrap(), &email).await;
    let code = link.unwrap().unwrap().split_once('#').unwrap().1.to_owned();
    stage.world.browser().post("/api/v1/addresses/confirm", json!({ "code": code })).await.expect(200);
    let nobody = stage.path("/tokens?heard=nobody");
    assert_eq!(names(&stage.ada.get(&nobody).await.expect(200).json()), Vec::<&str>::new());
    let person = format!("/api/v1/people/{ben}");
    let seen = stage.world.operator.get(&person).await.expect(200).json()["edit"].as_u64().unwrap_or(1);
    stage.world.operator.patch(&person, seen, json!({ "active": false })).await.expect(200);
    let found = stage.ada.get(&nobody).await.expect(200).json();
    assert_eq!(names(&found), ["Nobody", "Nobody yet"]);
    assert_eq!(
        row(&found, "Nobody yet")["told"],
        json!([
            { "address": "ben@example.com", "kind": "contact", "state": "inactive" },
            { "address": "Dev@example.com", "kind": "developer", "state": "unconfirmed" },
        ])
    );
    stage.ada.get(&stage.path("/tokens?heard=somebody")).await.expect(400);
    let all = stage.ada.get(&stage.path("/tokens")).await.expect(200).json();
    let told = |name: &str| {
        row(&all, name)["told"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["state"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("Ada hears"), ["confirmed"]);
    assert_eq!(told("A developer hears"), ["inactive", "confirmed"]);
    assert_eq!(told("A member hears"), ["inactive", "confirmed"]);
    addresses::bounced(&stage.world.app, "ada@example.com", "no such mailbox").await.unwrap();
    let found = stage.ada.get(&nobody).await.expect(200).json();
    assert_eq!(names(&found), ["A member hears", "Ada hears", "Nobody", "Nobody yet"]);
    assert_eq!(row(&found, "Ada hears")["told"][0]["state"], "bounced");
}
