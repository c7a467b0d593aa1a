//! Accounts and the switch of their API access.

use serde_json::json;

use crate::harness::{ADMINISTRATOR, PASSWORD, SPECIALIST, World, code_of};

const PATH: &str = "/api/v1/accounts";

#[tokio::test]
async fn operators_make_accounts_and_their_first_administrator_gets_a_link() {
    let world = World::new().await;
    let new = json!({
        "external_id": "crm-17", "kind": "partner", "name": " Northwind ", "reveal": "once", "token_limit": 5,
        "administrator": { "email": "ada@example.com" },
    });
    let answer = world.operator.post(PATH, new.clone()).await.expect(201);
    assert_eq!(answer.header("etag"), "\"1\"");
    let created = answer.json();
    let account = &created["account"];
    for (field, value) in [
        ("external_id", json!("crm-17")),
        ("kind", json!("partner")),
        ("name", json!("Northwind")),
        ("state", json!("active")),
        ("api_access", json!(false)),
        ("reveal", json!("once")),
        ("token_limit", json!(5)),
        ("edit", json!(1)),
    ] {
        assert_eq!(account[field], value, "{field}");
    }
    let link = created["invitation"]["link"].as_str().unwrap();
    assert!(link.starts_with("https://tokens.example.com/invitation#"));
    assert_eq!(created["invitation"]["invitation"]["expires_at"], "2026-06-18T12:00:00Z");
    let accept = json!({ "code": code_of(&created["invitation"]), "name": "Ada", "password": PASSWORD });
    let answer = world.browser().post("/api/v1/invitations/accept", accept).await.expect(201);
    assert_eq!(answer.json()["memberships"][0]["role"], ADMINISTRATOR);
    world.operator.post(PATH, new).await.expect_problem(409, "external_id_taken");
    for (field, value) in [
        ("kind", json!("cabbage")),
        ("name", json!("")),
        ("external_id", json!("a b")),
        ("token_limit", json!(1_000_001)),
        ("administrator", json!({ "email": "nobody" })),
        ("reveal", json!("maybe")),
    ] {
        let mut bad = json!({ "external_id": "crm-18", "kind": "brand", "name": "B" });
        bad[field] = value;
        let answer = world.operator.post(PATH, bad).await.expect(422);
        assert!(answer.json()["field"].as_str().unwrap().starts_with(field), "{}", answer.text());
    }
    let all = world.operator.get(PATH).await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "nothing half written");
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let world = World::new().await;
    for number in 0..7 {
        world.account(&format!("crm-{number}")).await;
    }
    let path = format!("{PATH}?limit=3");
    let mut seen = Vec::new();
    let mut page = world.operator.get(&path).await.expect(200).json();
    loop {
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["external_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        page = world.operator.get(&format!("{path}&after={next}")).await.expect(200).json();
    }
    assert_eq!(seen.len(), 7);
    let found =
        world.operator.get(&format!("{PATH}?search=CRM-3&kind=brand&state=active")).await.expect(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let none = world.operator.get(&format!("{PATH}?kind=agency")).await.expect(200).json();
    assert_eq!(none["items"].as_array().unwrap().len(), 0);
    for (query, code) in [
        ("limit=0", "query_invalid"),
        ("limit=201", "query_invalid"),
        ("limit=x", "query_invalid"),
        ("sort=name", "query_invalid"),
        ("limit=1&limit=2", "query_invalid"),
        ("after=nonsense", "cursor_invalid"),
        ("state=asleep", "query_invalid"),
    ] {
        world.operator.get(&format!("{PATH}?{query}")).await.expect_problem(400, code);
    }
}

#[tokio::test]
async fn a_cursor_opens_only_its_own_list() {
    let world = World::new().await;
    let one = world.account("one").await;
    let two = world.account("two").await;
    for account in [&one, &two] {
        world.member(account, &format!("{account}@example.com"), ADMINISTRATOR).await;
        world.member(account, &format!("x{account}@example.com"), ADMINISTRATOR).await;
    }
    let page = world.operator.get(&format!("{PATH}/{one}/members?limit=1")).await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    world.operator.get(&format!("{PATH}/{one}/members?after={next}")).await.expect(200);
    world
        .operator
        .get(&format!("{PATH}/{two}/members?after={next}"))
        .await
        .expect_problem(400, "cursor_invalid");
    world
        .operator
        .get(&format!("{PATH}/{one}/invitations?after={next}"))
        .await
        .expect_problem(400, "cursor_invalid");
    world.operator.get(&format!("/api/v1/people?after={next}")).await.expect_problem(400, "cursor_invalid");
    for place in 0..next.len() {
        let mut tampered = next.to_owned();
        let other = if next[place..].starts_with('A') { "B" } else { "A" };
        tampered.replace_range(place..=place, other);
        let answer = world.operator.get(&format!("{PATH}/{one}/members?after={tampered}")).await;
        // The last character of base64 has bits that mean nothing; decoders refuse or ignore them.
        assert!(answer.status == 400 || place + 1 == next.len(), "{place}");
    }
}

#[tokio::test]
async fn an_edit_needs_what_was_seen_and_leaves_absent_fields_alone() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("{PATH}/{account}");
    let seen = ada.get(&path).await.expect(200);
    assert_eq!(seen.header("etag"), "\"1\"");
    assert_eq!(seen.json()["token_count"], 0);
    let request = || ada.request("PATCH", &path).json(&json!({ "name": "Renamed" }));
    request().send().await.expect_problem(428, "if_match_missing");
    for bad in ["1", "W/\"1\"", "*", "\"1\", \"2\"", "\"\"", "\"-1\"", "\"99999999999999999999999\""] {
        request().header("if-match", bad).send().await.expect(400);
    }
    let answer = ada.patch(&path, 1, json!({ "name": "Renamed" })).await.expect(200);
    assert_eq!(answer.header("etag"), "\"2\"");
    assert_eq!(answer.json()["name"], "Renamed");
    assert_eq!(answer.json()["external_id"], "one");
    ada.patch(&path, 1, json!({ "name": "Too late" })).await.expect_problem(412, "stale");
    for theirs in
        [json!({ "state": "suspended" }), json!({ "token_limit": 9 }), json!({ "external_id": "x" })]
    {
        ada.patch(&path, 2, theirs.clone()).await.expect_problem(403, "operators_only");
        let edit = world.operator.get(&path).await.json()["edit"].as_u64().unwrap();
        world.operator.patch(&path, edit, theirs).await.expect(200);
    }
    assert_eq!(world.operator.get(&path).await.json()["state"], "suspended");
}

#[tokio::test]
async fn api_access_goes_on_and_off_at_once() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let sam = world.member(&account, "sam@example.com", SPECIALIST).await;
    let secret = world.token(&account, &ada, "Manager", &["brand.tokens.view"]).await;
    let token = world.bearer(&secret);
    token.get(PATH).await.expect(200);
    let path = format!("{PATH}/{account}/api-access");
    sam.post(&path, json!({ "enabled": false })).await.expect_problem(403, "permission_missing");
    let off = ada.post(&path, json!({ "enabled": false })).await.expect(200);
    assert_eq!(off.json()["api_access"], false);
    token.get(PATH).await.expect_problem(403, "api_access_off");
    sam.post(&path, json!({ "enabled": true })).await.expect(200);
    token.get(PATH).await.expect(200);
}
