//! Members and invitations of an account.

use serde_json::json;

use crate::harness::{ADMINISTRATOR, ANALYST, PASSWORD, SPECIALIST, World, code_of, user_id};

#[tokio::test]
async fn an_invitation_works_once_and_for_72_hours() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("/api/v1/accounts/{account}/invitations");
    let invite = json!({ "email": "ben@example.com", "role": ANALYST });
    let first = ada.post(&path, invite.clone()).await.expect(201).json();
    let second = ada.post(&path, invite.clone()).await.expect(201).json();
    let accept =
        |issued| json!({ "code": code_of(issued), "name": "Ben", "password": "kettle-harbour-plum-cyclone" });
    let url = "/api/v1/invitations/accept";
    world.browser().post(url, accept(&first)).await.expect_problem(403, "code_spent");
    let mut weak = accept(&second);
    weak["password"] = json!("benbenbenbenbenben");
    world.browser().post(url, weak).await.expect_problem(422, "password_refused");
    world.browser().post(url, accept(&second)).await.expect(201);
    world.browser().post(url, accept(&second)).await.expect_problem(403, "code_spent");
    ada.post(&path, invite).await.expect_problem(409, "already_member");
    let third =
        ada.post(&path, json!({ "email": "cleo@example.com", "role": ANALYST })).await.expect(201).json();
    world.clock.advance_secs(72 * 3_600);
    world.browser().post(url, accept(&third)).await.expect_problem(403, "code_spent");
}

#[tokio::test]
async fn a_link_alone_never_takes_over_somebody_who_is_known() {
    let world = World::new().await;
    let (one, two) = (world.account("one").await, world.account("two").await);
    let ada = world.member(&one, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("/api/v1/accounts/{two}/invitations");
    let issued = world
        .operator
        .post(&path, json!({ "email": "ada@example.com", "role": ANALYST }))
        .await
        .expect(201)
        .json();
    let url = "/api/v1/invitations/accept";
    let thief =
        json!({ "code": code_of(&issued), "name": "Thief", "password": "kettle-harbour-plum-cyclone" });
    world.browser().post(url, thief).await.expect_problem(422, "password_wrong");
    let herself = json!({ "code": code_of(&issued), "password": PASSWORD });
    let answer = world.browser().post(url, herself).await.expect(201).json();
    assert_eq!(answer["memberships"].as_array().unwrap().len(), 2);
    assert_eq!(answer["person"]["name"], "Mia Member");
    ada.get("/api/v1/session").await.expect(200);
}

#[tokio::test]
async fn a_withdrawn_invitation_is_dead() {
    let world = World::new().await;
    let (one, two) = (world.account("one").await, world.account("two").await);
    let path = format!("/api/v1/accounts/{one}/invitations");
    let issued = world
        .operator
        .post(&path, json!({ "email": "ada@example.com", "role": ANALYST }))
        .await
        .expect(201)
        .json();
    let id = issued["invitation"]["id"].as_str().unwrap();
    assert_eq!(world.operator.get(&path).await.json()["items"][0]["id"], id);
    assert!(!world.operator.get(&path).await.text().contains(&code_of(&issued)), "the code is shown once");
    world
        .operator
        .delete(&format!("/api/v1/accounts/{two}/invitations/{id}"))
        .await
        .expect_problem(404, "not_found");
    world.operator.delete(&format!("{path}/{id}")).await.expect(204);
    world.operator.delete(&format!("{path}/{id}")).await.expect_problem(404, "not_found");
    let accept = json!({ "code": code_of(&issued), "name": "Ada", "password": PASSWORD });
    world.browser().post("/api/v1/invitations/accept", accept).await.expect_problem(403, "code_spent");
}

#[tokio::test]
async fn roles_change_and_the_last_administrator_stays() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let sam = world.member(&account, "sam@example.com", SPECIALIST).await;
    let (ada_id, sam_id) = (user_id(&ada).await, user_id(&sam).await);
    let path = |user: &str| format!("/api/v1/accounts/{account}/members/{user}");
    let members = sam.get(&format!("/api/v1/accounts/{account}/members")).await.expect(200).json();
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    let patch = |client: &crate::harness::Client, user: &str, role: &str| {
        client.request("PATCH", &path(user)).json(&json!({ "role": role })).send()
    };
    patch(&sam, &ada_id, ANALYST).await.expect_problem(403, "permission_missing");
    patch(&ada, &ada_id, ANALYST).await.expect_problem(409, "last_administrator");
    patch(&ada, &sam_id, "emperor").await.expect_problem(422, "field_invalid");
    ada.delete(&path(&ada_id)).await.expect_problem(409, "last_administrator");
    let changed = patch(&ada, &sam_id, ADMINISTRATOR).await.expect(200).json();
    assert_eq!(changed["role"], ADMINISTRATOR);
    patch(&sam, &ada_id, ANALYST).await.expect(200);
    ada.get(&format!("/api/v1/accounts/{account}/members")).await.expect_problem(403, "permission_missing");
    sam.delete(&path(&ada_id)).await.expect(204);
    ada.get(&format!("/api/v1/accounts/{account}")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn whoever_answers_for_tokens_leaves_them_to_a_successor() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let sam = world.member(&account, "sam@example.com", SPECIALIST).await;
    let (ada_id, sam_id) = (user_id(&ada).await, user_id(&sam).await);
    world.token(&account, &sam, "Storefront", &[]).await;
    let path = format!("/api/v1/accounts/{account}/members/{sam_id}");
    let refused = ada.delete(&path).await.expect_problem(409, "primary_contact").json();
    assert_eq!(refused["tokens"], json!(["Storefront"]));
    for bad in [sam_id.as_str(), "nonsense", "usr_01jt3x9k7dfq4v8m2n6p0r5s1w"] {
        ada.delete(&format!("{path}?successor={bad}")).await.expect_problem(422, "field_invalid");
    }
    ada.delete(&format!("{path}?successor={ada_id}")).await.expect(204);
    let tokens = ada.get(&format!("/api/v1/accounts/{account}/tokens")).await.expect(200).json();
    assert_eq!(tokens["items"][0]["primary_contact"]["id"], ada_id);
}
