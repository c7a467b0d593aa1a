//! People, for operators, and what people change about themselves.

use serde_json::json;

use crate::harness::{ADMINISTRATOR, PASSWORD, World, code_of, user_id};

#[tokio::test]
async fn operators_find_and_edit_people() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let id = user_id(&ada).await;
    let found = world.operator.get("/api/v1/people?search=ADA@").await.expect(200).json();
    assert_eq!(found["items"][0]["id"], id.as_str());
    let operators = world.operator.get("/api/v1/people?operators=true").await.expect(200).json();
    assert_eq!(operators["items"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/people/{id}");
    let edit = json!({ "name": "Ada L.", "language": "zh-CN", "operator": true });
    let answer = world.operator.patch(&path, 1, edit.clone()).await.expect(200);
    assert_eq!((answer.header("etag"), &answer.json()["name"]), ("\"2\"", &json!("Ada L.")));
    world.operator.patch(&path, 1, edit).await.expect_problem(412, "stale");
    world.operator.patch(&path, 2, json!({ "language": "fr" })).await.expect_problem(422, "field_invalid");
    ada.get("/api/v1/people").await.expect(200);
    let operator_id = user_id(&world.operator).await;
    ada.patch(&format!("/api/v1/people/{operator_id}"), 1, json!({ "operator": false })).await.expect(200);
    world.operator.get("/api/v1/people").await.expect_problem(403, "operators_only");
    ada.patch(&path, 2, json!({ "operator": false })).await.expect_problem(409, "last_operator");
    ada.patch(&path, 2, json!({ "active": false })).await.expect_problem(409, "last_operator");
}

#[tokio::test]
async fn a_password_link_sets_a_password_nobody_else_knows() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("/api/v1/people/{}/password-reset", user_id(&ada).await);
    let issued = world.operator.request("POST", &path).send().await.expect(201).json();
    ada.get("/api/v1/session").await.expect(200);
    let new = "kettle-harbour-plum-cyclone";
    let accept = json!({ "code": code_of(&issued), "password": new });
    let answer = world.browser().post("/api/v1/invitations/accept", accept).await.expect(201);
    assert_eq!(answer.json()["operator"], false);
    ada.get("/api/v1/session").await.expect(401);
    world.sign_in("ada@example.com", PASSWORD).await.expect(401);
    world.sign_in("ada@example.com", new).await.expect(201);
}

#[tokio::test]
async fn another_operator_comes_by_invitation() {
    let world = World::new().await;
    let issued = world
        .operator
        .post("/api/v1/people", json!({ "email": "second@example.com" }))
        .await
        .expect(201)
        .json();
    let accept =
        json!({ "code": code_of(&issued), "name": "Second", "password": PASSWORD, "language": "zh-CN" });
    let answer = world.browser().post("/api/v1/invitations/accept", accept).await.expect(201);
    assert_eq!(answer.json()["operator"], true);
    assert_eq!(answer.json()["person"]["language"], "zh-CN");
    world
        .operator
        .post("/api/v1/people", json!({ "email": "Second@example.com" }))
        .await
        .expect_problem(409, "email_taken");
}

#[tokio::test]
async fn people_change_their_own_name_and_language_and_nothing_else() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let patch = |body| ada.request("PATCH", "/api/v1/profile").json(&body).send();
    let changed = patch(json!({ "name": "  Ada ", "language": "zh-CN" })).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["language"]), (&json!("Ada"), &json!("zh-CN")));
    for (body, field) in [
        (json!({ "operator": true }), "operator"),
        (json!({ "email": "x@example.com" }), "email"),
        (json!({ "active": true }), "active"),
        (json!({ "generation": 1 }), "generation"),
    ] {
        let answer = patch(body).await.expect_problem(400, "field_unknown");
        assert_eq!(answer.json()["field"], field);
    }
    let answer = patch(json!({ "name": "a\u{202e}b" })).await.expect_problem(422, "field_invalid");
    assert_eq!(answer.json()["field"], "name");
}
