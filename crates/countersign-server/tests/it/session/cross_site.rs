//! Requests another site makes a browser send (T-15).

use serde_json::json;

use crate::harness::{PASSWORD, World};

const OURS: &str = "https://tokens.example.com";

#[tokio::test]
async fn a_change_with_a_cookie_must_come_from_our_own_pages() {
    let world = World::new().await;
    let cookie = world.operator.get("/api/v1/session").await.expect(200);
    drop(cookie);
    let cases: [(&[(&str, &str)], bool); 11] = [
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "same-origin"), ("origin", OURS)], true),
        (&[("origin", OURS)], true),
        (&[], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", OURS)], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "https://tokens.example.com.evil.example")], false),
    ];
    for (headers, allowed) in cases {
        // A browser, so the cookie goes along; what it says of the origin is the case.
        let mut client = world.anonymous();
        let answer = world.sign_in("operator@example.com", PASSWORD).await.expect(201);
        client = client
            .with("cookie", &format!("__Host-countersign={}", answer.cookie("__Host-countersign").unwrap()));
        for (name, value) in headers {
            client = client.with(name, value);
        }
        client.get("/api/v1/profile").await.expect(200);
        for (method, path) in [
            ("PATCH", "/api/v1/profile"),
            ("POST", "/api/v1/accounts"),
            ("PUT", "/api/v1/profile/password"),
            ("DELETE", "/api/v1/sessions"),
            ("POST", "/api/v1/audit/verify"),
        ] {
            let answer = client.request(method, path).json(&json!({})).send().await;
            let refused = answer.code() == "cross_site";
            assert_eq!(!refused, allowed, "{method} {path} {headers:?}");
            assert!(!refused || answer.status == 403);
        }
        let sign_in = json!({ "email": "operator@example.com", "password": PASSWORD });
        let mut login = world.anonymous();
        for (name, value) in headers {
            login = login.with(name, value);
        }
        let answer = login.post("/api/v1/session", sign_in).await;
        assert_eq!(answer.status == 201, allowed, "sign-in, {headers:?}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_cannot_be_a_change() {
    let world = World::new().await;
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "",
    ] {
        let request = world
            .operator
            .request("PATCH", "/api/v1/profile")
            .header("content-type", media)
            .body("{\"name\":\"X\"}");
        request.send().await.expect_problem(415, "not_json");
    }
    let request = world.operator.request("PATCH", "/api/v1/profile").body("{\"name\":\"X\"}");
    request.send().await.expect_problem(415, "not_json");
    let preflight = world
        .anonymous()
        .request("OPTIONS", "/api/v1/profile")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "PATCH");
    let answer = preflight.send().await.expect(405);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn programs_need_no_origin_and_two_credentials_are_none() {
    let world = World::new().await;
    let platform = world.platform("billing").await;
    let new = json!({ "external_id": "one", "kind": "brand", "name": "One" });
    platform.post("/api/v1/accounts", new).await.expect(201);
    let both = platform.with("cookie", "__Host-countersign=abc");
    both.get("/api/v1/accounts").await.expect_problem(400, "credentials_ambiguous");
    let twice = world.browser().with("cookie", "__Host-countersign=a; __Host-countersign=b");
    twice.get("/api/v1/profile").await.expect(400);
}
