//! RFC 6750 at forward-auth, where clients meet it: which challenge, which error, and never a token from anywhere but the
//! `Authorization` header. One test for each line of the checklist.

use serde_json::json;

use crate::{
    client::Reply,
    scene::{GATEWAY, Scene},
};

async fn ask(scene: &Scene, target: &str, credentials: &[&str]) -> Reply {
    let mut headers = vec![
        ("x-countersign-gateway", scene.credential.as_str()),
        ("x-original-method", "GET"),
        ("x-original-uri", target),
        ("x-original-address", "203.0.113.5"),
    ];
    headers.extend(credentials.iter().map(|value| ("authorization", *value)));
    scene.ask(&format!("GET /v1/forward-auth/{GATEWAY}"), &headers, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_challenge() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list"], &json!({})).await;
    let (mine, other) =
        (format!("/Advertisers/{}/Actions", token.sid), format!("/Advertisers/{}/Ads", token.sid));
    let realm = "Bearer realm=\"countersign\"";
    let with = |error: &str| format!("Basic realm=\"countersign\", {realm}, error=\"{error}\"");
    let unknown = format!("Bearer {}", "x".repeat(40));
    let (bearer, short) = (token.bearer(), "Bearer".to_owned());
    let in_query = format!("{mine}?access_token={}", token.secret);
    for (what, target, credentials, status, challenge) in [
        ("nothing sent: no error code", &mine, vec![], 401, format!("Basic realm=\"countersign\", {realm}")),
        ("a token nobody has", &mine, vec![unknown.as_str()], 401, with("invalid_token")),
        ("no token68", &mine, vec!["Bearer a b"], 401, with("invalid_request")),
        ("no token", &mine, vec![short.as_str()], 401, with("invalid_request")),
        ("another scheme", &mine, vec!["Digest x"], 401, with("invalid_request")),
        // RFC 6750 section 3.1 would have 400 here; our table of denials has 401 for every credential that is not one.
        ("two credentials", &mine, vec![bearer.as_str(), bearer.as_str()], 401, with("invalid_request")),
        ("in the query", &in_query, vec![], 401, with("invalid_request")),
        ("in the query, beside a right one", &in_query, vec![bearer.as_str()], 401, with("invalid_request")),
        (
            "a scope that is missing is named",
            &other,
            vec![bearer.as_str()],
            403,
            format!("{realm}, error=\"insufficient_scope\", scope=\"brand.ads.list\""),
        ),
        ("allowed", &mine, vec![bearer.as_str()], 200, String::new()),
        (
            "the scheme in any letter case",
            &mine,
            vec![&bearer.replacen("Bearer", "bEARER", 1)],
            200,
            String::new(),
        ),
    ] {
        let reply = ask(&scene, target, &credentials).await;
        assert_eq!(
            (reply.status, reply.header("www-authenticate")),
            (status, challenge.as_str()),
            "{what}: {reply:?}"
        );
        assert_eq!(reply.header("cache-control"), "no-store", "{what}");
    }
    // A form in the body is nothing that is read.
    let headers = [
        ("x-countersign-gateway", scene.credential.as_str()),
        ("x-original-method", "POST"),
        ("x-original-uri", mine.as_str()),
        ("x-original-address", "203.0.113.5"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let body = format!("access_token={}", token.secret);
    let reply = scene.ask(&format!("POST /v1/forward-auth/{GATEWAY}"), &headers, &body).await;
    assert_eq!(reply.status, 401);
}
