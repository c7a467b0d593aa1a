//! Nothing of one account can be reached from another (T-6), and what is not yours looks like what is not there (T-4).

use serde_json::json;

use crate::harness::{ADMINISTRATOR, Answer, SPECIALIST, World, code_of, user_id};

fn told(answer: &Answer) -> (u16, String) {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id");
    (answer.status.as_u16(), body.to_string())
}

#[tokio::test]
async fn every_id_of_another_account_is_an_id_that_is_not_there() {
    let world = World::new().await;
    let (mine, theirs) = (world.account("mine").await, world.account("theirs").await);
    let me = world.member(&mine, "me@example.com", ADMINISTRATOR).await;
    let them = world.member(&theirs, "them@example.com", ADMINISTRATOR).await;
    let their_colleague = user_id(&world.member(&theirs, "colleague@example.com", SPECIALIST).await).await;
    let invitations = format!("/api/v1/accounts/{theirs}/invitations");
    let issued = them
        .post(&invitations, json!({ "email": "x@example.com", "role": SPECIALIST }))
        .await
        .expect(201)
        .json();
    let their_invitation = issued["invitation"]["id"].as_str().unwrap();
    let new = json!({ "name": "Theirs", "primary_contact": user_id(&them).await, "scopes": [] });
    let token = them.post(&format!("/api/v1/accounts/{theirs}/tokens"), new).await.expect(201).json();
    let their_token = token.pointer("/token/id").or(token.get("id")).unwrap().as_str().unwrap().to_owned();
    let my_token =
        world.bearer(&world.token(&mine, &me, "Mine", &["brand.tokens.view", "brand.tokens.disable"]).await);
    let nobody = "01jt3x9k7dfq4v8m2n6p0r5s1w";
    let role = json!({ "role": SPECIALIST });
    // Ids of theirs, under their account and under mine; beside each, an id of nobody.
    for (method, place, id, prefix, body) in [
        ("GET", "tokens/", their_token.as_str(), "tok", None),
        ("PATCH", "tokens/", &their_token, "tok", Some(json!({ "name": "x" }))),
        ("DELETE", "tokens/", &their_token, "tok", None),
        ("PATCH", "members/", &their_colleague, "usr", Some(role)),
        ("DELETE", "members/", &their_colleague, "usr", None),
        ("DELETE", "invitations/", their_invitation, "inv", None),
    ] {
        for account in [mine.as_str(), theirs.as_str(), &format!("acc_{nobody}"), "nonsense"] {
            for client in [&me, &my_token] {
                let ask = async |id: &str| {
                    let request = client.request(method, &format!("/api/v1/accounts/{account}/{place}{id}"));
                    let request = request.header("if-match", "\"1\"");
                    match &body {
                        Some(body) => request.json(body).send().await,
                        None => request.send().await,
                    }
                };
                let (found, absent) = (ask(id).await, ask(&format!("{prefix}_{nobody}")).await);
                assert_eq!(told(&found), told(&absent), "{method} {account}/{place}");
                assert!(found.status.is_client_error(), "{method} {account}/{place}");
                assert!(account == mine || found.status == 404, "{method} {account}/{place}");
            }
        }
    }
    them.get(&format!("/api/v1/accounts/{theirs}/tokens/{their_token}")).await.expect(200);
    let accept = json!({ "code": code_of(&issued), "name": "X", "password": crate::harness::PASSWORD });
    world.browser().post("/api/v1/invitations/accept", accept).await.expect(201);
}

#[tokio::test]
async fn lists_and_searches_stay_at_home() {
    let world = World::new().await;
    let (mine, theirs) = (world.account("mine").await, world.account("theirs").await);
    let me = world.member(&mine, "me@example.com", ADMINISTRATOR).await;
    let them = world.member(&theirs, "them@example.com", ADMINISTRATOR).await;
    world.token(&theirs, &them, "Their secret plan", &[]).await;
    for path in [
        "/api/v1/accounts".to_owned(),
        "/api/v1/accounts?search=theirs".to_owned(),
        format!("/api/v1/accounts/{mine}/members"),
        format!("/api/v1/accounts/{mine}/tokens"),
        format!("/api/v1/accounts/{mine}/audit"),
        format!("/api/v1/accounts/{mine}/invitations"),
        "/api/v1/session".to_owned(),
    ] {
        let text = me.get(&path).await.expect(200).text();
        for word in [theirs.as_str(), "them@example.com", "Their secret plan", "Account theirs"] {
            assert!(!text.contains(word), "{path} tells {word}");
        }
    }
    for path in ["members", "tokens", "audit", "invitations"] {
        me.get(&format!("/api/v1/accounts/{theirs}/{path}")).await.expect_problem(404, "not_found");
    }
}
