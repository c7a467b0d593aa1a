//! From sign-in to the end of a session (T-35).

use serde_json::json;

use crate::harness::{ADMINISTRATOR, Client, PASSWORD, World, user_id};

const SESSION: &str = "/api/v1/session";

async fn is_in(client: &Client) -> bool {
    client.get(SESSION).await.status == 200
}

#[tokio::test]
async fn a_session_begins_says_who_it_is_and_ends() {
    let world = World::new().await;
    let account = world.account("one").await;
    world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let answer = world.sign_in("Ada@Example.com", PASSWORD).await.expect(201);
    for line in answer.headers.get_all("set-cookie") {
        let line = line.to_str().unwrap();
        for part in ["__Host-countersign", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(line.contains(part), "{line}");
        }
    }
    let ada = world.signed_in(&answer);
    let session = ada.get(SESSION).await.expect(200).json();
    assert_eq!(session["person"]["email"], "ada@example.com");
    assert_eq!(session["operator"], false);
    assert_eq!(session["memberships"][0]["account"]["id"], account.as_str());
    assert_eq!(session["memberships"][0]["role"], ADMINISTRATOR);
    assert_eq!(session["memberships"][0]["permissions"].as_array().unwrap().len(), 6);
    assert_eq!(session["password_fresh_until"], "2026-06-15T12:05:00Z");
    ada.delete(SESSION).await.expect(204);
    ada.get(SESSION).await.expect_problem(401, "session_ended");
    world.anonymous().get(SESSION).await.expect_problem(401, "sign_in_required");
}

#[tokio::test]
async fn idle_and_absolute_limits_end_a_session() {
    let world = World::new().await;
    let ada = world.signed_in(&world.sign_in("operator@example.com", PASSWORD).await.expect(201));
    for _ in 0..24 {
        world.clock.advance_secs(1_799);
        assert!(is_in(&ada).await, "used every half hour, it goes on");
    }
    world.clock.advance_secs(24);
    assert!(!is_in(&ada).await, "after twelve hours it ends all the same");
    let ada = world.signed_in(&world.sign_in("operator@example.com", PASSWORD).await.expect(201));
    world.clock.advance_secs(1_800);
    assert!(!is_in(&ada).await, "unused for half an hour");
}

#[tokio::test]
async fn entering_the_password_again_gives_a_new_cookie_and_kills_the_old_one() {
    let world = World::new().await;
    world.clock.advance_secs(600);
    let path = "/api/v1/session/password";
    world
        .operator
        .post(path, json!({ "password": "not the password at all" }))
        .await
        .expect_problem(422, "password_wrong");
    let answer = world.operator.post(path, json!({ "password": PASSWORD })).await.expect(200);
    assert_eq!(answer.json()["password_fresh_until"], "2026-06-15T12:15:00Z");
    assert!(!is_in(&world.operator).await, "the old cookie is dead");
    assert!(is_in(&world.signed_in(&answer)).await);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::new().await;
    let other = world.signed_in(&world.sign_in("operator@example.com", PASSWORD).await.expect(201));
    let path = "/api/v1/profile/password";
    let new = "kettle-harbour-plum-cyclone";
    let wrong = json!({ "current": "not the password at all", "new": new });
    let answer = other.put(path, wrong).await.expect_problem(422, "password_wrong");
    assert_eq!(answer.json()["field"], "current");
    let weak = json!({ "current": PASSWORD, "new": "operatoroperator" });
    let answer = other.put(path, weak).await.expect_problem(422, "password_refused");
    assert_eq!(answer.json()["field"], "new");
    let answer = other.put(path, json!({ "current": PASSWORD, "new": new })).await.expect(201);
    assert!(!is_in(&world.operator).await);
    assert!(!is_in(&other).await);
    assert!(is_in(&world.signed_in(&answer)).await);
    world.sign_in("operator@example.com", PASSWORD).await.expect_problem(401, "sign_in_refused");
    world.sign_in("operator@example.com", new).await.expect(201);
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_only() {
    let world = World::new().await;
    let second = world.signed_in(&world.sign_in("operator@example.com", PASSWORD).await.expect(201));
    let third = world.signed_in(&world.sign_in("operator@example.com", PASSWORD).await.expect(201));
    let sessions = third.get("/api/v1/sessions").await.expect(200).json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 3);
    let current: Vec<_> =
        sessions["items"].as_array().unwrap().iter().filter(|one| one["current"] == true).collect();
    assert_eq!(current.len(), 1);
    let second_id =
        second.get(SESSION).await.expect(200).json()["session"]["id"].as_str().unwrap().to_owned();
    let account = world.account("one").await;
    let stranger = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    stranger.delete(&format!("/api/v1/sessions/{second_id}")).await.expect_problem(404, "not_found");
    stranger.delete("/api/v1/sessions/nonsense").await.expect_problem(404, "not_found");
    third.delete(&format!("/api/v1/sessions/{second_id}")).await.expect(204);
    assert!(!is_in(&second).await);
    third.delete("/api/v1/sessions").await.expect(204);
    assert!(!is_in(&world.operator).await && is_in(&third).await);
}

#[tokio::test]
async fn switching_a_person_off_ends_their_sessions_at_once() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("/api/v1/people/{}", user_id(&ada).await);
    world.operator.patch(&path, 1, json!({ "active": false })).await.expect(200);
    assert!(!is_in(&ada).await);
    world.sign_in("ada@example.com", PASSWORD).await.expect_problem(401, "sign_in_refused");
    world.operator.patch(&path, 2, json!({ "active": true })).await.expect(200);
    assert!(!is_in(&ada).await, "the old session stays dead");
    world.sign_in("ada@example.com", PASSWORD).await.expect(201);
}

#[tokio::test]
async fn sign_in_over_plain_http_is_refused_unless_it_is_this_machine() {
    for (url, refused) in [
        ("http://tokens.example.com", true),
        ("http://192.0.2.7:8470", true),
        ("http://localhost.example.com", true),
        ("http://127.0.0.1:8470", false),
        ("http://localhost:8470", false),
        ("http://[::1]:8470", false),
        ("https://tokens.example.com", false),
    ] {
        let world = World::with(|settings| settings.public_url = url.to_owned()).await;
        let answer = world.sign_in("nobody@example.com", PASSWORD).await;
        assert_eq!(answer.code(), if refused { "sign_in_needs_tls" } else { "sign_in_refused" }, "{url}");
    }
}
