//! The audit trail.

mod checkpoints;
mod deeds;

use serde_json::{Value, json};

use crate::harness::{ADMINISTRATOR, ANALYST, PASSWORD, World, user_id};

#[tokio::test]
async fn every_deed_is_there_with_who_where_and_what() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("/api/v1/accounts/{account}");
    let answer =
        ada.at_address("198.51.100.9").patch(&path, 1, json!({ "name": "Renamed" })).await.expect(200);
    let entries = ada.get(&format!("{path}/audit?action=account.update")).await.expect(200).json();
    let entry = &entries["items"][0];
    assert_eq!(entry["actor"]["kind"], "user");
    assert_eq!(entry["actor"]["label"], "ada@example.com");
    assert_eq!(entry["client_address"], "198.51.100.9");
    assert_eq!(entry["request_id"], answer.header("x-request-id"));
    assert_eq!(entry["before"]["name"], "Account one");
    assert_eq!(entry["after"]["name"], "Renamed");
    assert_eq!(entry["outcome"], "done");
    let all = world.operator.get("/api/v1/audit?limit=200").await.expect(200).text();
    assert!(!all.contains(PASSWORD) && !all.contains("argon2"), "no secret in it");
    let cli = world
        .cli()
        .post("/api/v1/accounts", json!({ "external_id": "two", "kind": "brand", "name": "Two" }))
        .await;
    cli.expect(201);
    let entry = world.operator.get("/api/v1/audit?action=account.create&limit=1").await.expect(200).json();
    assert_eq!(entry["items"][0]["actor"]["kind"], "cli");
}

#[tokio::test]
async fn refused_attempts_of_known_callers_get_an_entry_each() {
    let world = World::new().await;
    let (account, other) = (world.account("one").await, world.account("two").await);
    let ann = world.member(&account, "ann@example.com", ANALYST).await;
    ann.get(&format!("/api/v1/accounts/{account}/tokens")).await.expect(403);
    ann.get(&format!("/api/v1/accounts/{other}")).await.expect(404);
    ann.get("/api/v1/people").await.expect(403);
    ann.delete("/api/v1/sessions/ses_01jt3x9k7dfq4v8m2n6p0r5s1w").await.expect(404);
    let entries = world.operator.get("/api/v1/audit?action=access.refused").await.expect(200).json();
    let entries = entries["items"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    assert!(
        entries
            .iter()
            .all(|entry| entry["outcome"] == "refused" && entry["actor"]["label"] == "ann@example.com")
    );
    assert_eq!(entries[0]["after"]["code"], "operators_only");
    assert_eq!(entries[2]["subject_label"], "/api/v1/accounts/{account_id}/tokens");
}

#[tokio::test]
async fn the_chain_is_whole_and_the_export_has_every_entry() {
    let world = World::new().await;
    for number in 0..520 {
        let body = json!({ "name": format!("Name {number}") });
        world.operator.request("PATCH", "/api/v1/profile").json(&body).send().await.expect(200);
    }
    let finding = world.operator.request("POST", "/api/v1/audit/verify").send().await.expect(200).json();
    assert_eq!(finding["whole"], true);
    let export = world.operator.get("/api/v1/audit/export").await.expect(200);
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = export.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(lines.len()), finding["entries"]);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["number"], index + 1);
        if index > 0 {
            assert_eq!(line["previous_hash"], lines[index - 1]["hash"]);
        }
    }
}

#[tokio::test]
async fn filters_by_actor_subject_and_time() {
    let world = World::new().await;
    let early_account = world.account("one").await;
    world.clock.advance_secs(3_600);
    let operator = world.signed_in(&world.sign_in("operator@example.com", PASSWORD).await.expect(201));
    let own = operator.get(&format!("/api/v1/audit?subject={early_account}")).await.expect(200).json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    let actor = user_id(&operator).await;
    let by_actor = operator.get(&format!("/api/v1/audit?actor_id={actor}")).await.expect(200).json();
    assert!(by_actor["items"].as_array().unwrap().iter().all(|entry| entry["actor"]["id"] == actor.as_str()));
    let late = operator.get("/api/v1/audit?since=2026-06-15T13:00:00Z").await.expect(200).json();
    assert!(late["items"].as_array().unwrap().iter().all(|entry| entry["at"] == "2026-06-15T13:00:00Z"));
    let early = operator.get("/api/v1/audit?until=2026-06-15T13:00:00Z").await.expect(200).json();
    assert!(early["items"].as_array().unwrap().iter().all(|entry| entry["at"] == "2026-06-15T12:00:00Z"));
    operator.get("/api/v1/audit?since=yesterday").await.expect_problem(400, "query_invalid");
}
