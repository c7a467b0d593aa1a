//! What surrounds every answer: request ids, the headers that protect browsers, and what never reaches a log.

use serde_json::json;

use crate::harness::{ADMINISTRATOR, Log, World};

#[tokio::test]
async fn every_answer_is_protected_and_has_an_id_of_ours() {
    let world = World::new().await;
    for (client, path) in [
        (world.operator.clone(), "/api/v1/session"),
        (world.operator.clone(), "/api/v1/audit/export"),
        (world.anonymous(), "/api/v1/session"),
        (world.anonymous(), "/api/v1/nowhere"),
        (world.anonymous(), "/"),
        (world.anonymous(), "/about"),
        (world.anonymous(), "/docs"),
        (world.anonymous(), "/openapi.json"),
    ] {
        let answer = client.with("x-request-id", "forged").get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path} {policy}"
        );
        assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
        assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
    }
}

#[tokio::test]
async fn refusals_are_problem_details() {
    let world = World::new().await;
    let answer = world.anonymous().get("/api/v1/people").await.expect_problem(401, "sign_in_required");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"countersign\"");
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/sign_in_required");
    assert_eq!(problem["status"], 401);
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    world.anonymous().get("/api/v1/nowhere").await.expect_problem(404, "not_found");
    for method in ["PUT", "TRACE", "CONNECTED"] {
        let answer = world.anonymous().request(method, "/api/v1/people").send().await;
        let answer = answer.expect_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    }
}

#[tokio::test]
async fn the_pages_carry_no_script_and_list_every_operation() {
    let world = World::empty().await;
    for path in ["/about", "/docs"] {
        let answer = world.anonymous().get(path).await.expect(200);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(
            !answer.text().contains("<script")
                && answer.header("content-security-policy").contains("style-src 'sha256-")
        );
    }
    let document = world.anonymous().get("/openapi.json").await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let docs = world.anonymous().get("/docs").await.text();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(docs.contains(path.as_str()), "{path}");
    }
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(!document["components"]["schemas"][name].is_null(), "{name}");
    }
}

/// T-24: a credential in a URL is refused whatever its name, told, and not logged.
#[tokio::test(flavor = "current_thread")]
async fn a_secret_in_a_url_is_refused_and_kept_out_of_the_log() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let secret = world.token(&account, &ada, "Manager", &["brand.tokens.view"]).await;
    let log = Log::listen();
    for name in [
        "token",
        "access_token",
        "auth_token",
        "api_key",
        "apikey",
        "key",
        "secret",
        "client_secret",
        "password",
        "auth",
        "authorization",
        "bearer",
        "credentials",
        "t",
        "x",
        "after",
        "search",
        "AuthToken",
        "X-API-Key",
        "csign",
    ] {
        for path in ["/api/v1/accounts", "/api/v1/nowhere", "/nowhere", "/"] {
            for client in [world.anonymous(), ada.clone()] {
                let answer = client.get(&format!("{path}?{name}={secret}")).await;
                answer.expect_problem(401, "credentials_misplaced");
            }
        }
    }
    world.anonymous().get(&format!("/api/v1/{secret}")).await.expect(404);
    world.bearer(&secret).get("/api/v1/accounts").await.expect(200);
    world.bearer(&format!("{secret}x")).get("/api/v1/accounts").await.expect(401);
    world
        .browser()
        .post("/api/v1/session", json!({ "email": "a@example.com", "password": secret }))
        .await
        .expect(401);
    world.browser().post("/api/v1/session", json!({ "email": secret, "password": 7 })).await.expect(422);
    let text = log.text();
    drop(log);
    assert!(text.contains("answered"), "there is a log");
    assert!(!text.contains(&secret[8..]), "the secret is in the log");
    countersign_server::ops::attempts::flush(&world.app, true).await.unwrap();
    let entries = world.operator.get("/api/v1/audit?action=credential.misplaced").await.expect(200).json();
    assert_eq!(entries["items"][0]["after"]["attempts"], 160);
}
