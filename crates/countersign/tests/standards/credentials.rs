//! OAuth 2.0 client credentials (RFC 6749 section 4.4): what a client gets, what it can do with it, and when it ends.

use serde_json::json;

use crate::{
    client::basic,
    scene::{Scene, Token},
};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn actions(token: &Token) -> String {
    format!("GET /Advertisers/{}/Actions", token.sid)
}

fn ads(token: &Token) -> String {
    format!("GET /Advertisers/{}/Ads", token.sid)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_a_token_that_does_what_its_own_does() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list", "brand.ads.list"], &json!({})).await;
    let by_form = [GRANT, ("client_id", token.sid.as_str()), ("client_secret", token.secret.as_str())];
    for (authorization, fields) in [(Some(token.basic()), [GRANT].as_slice()), (None, by_form.as_slice())] {
        let reply = scene.form("POST /v1/token", authorization.as_deref(), fields).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
        let told = reply.json();
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(600)));
        assert_eq!(told["scope"], "brand.actions.list brand.ads.list");
        let access = format!("Bearer {}", told["access_token"].as_str().unwrap());
        assert!(access.starts_with("Bearer csat_"));
        assert_eq!(scene.code(&access, &actions(&token)).await, "allowed");
        let in_url = format!("{}?access_token={}", actions(&token), &access["Bearer ".len()..]);
        assert_eq!(scene.code(&token.basic(), &in_url).await, "credentials_misplaced", "URLs are logged");
        assert_eq!(
            scene.code(&access, &format!("POST /Advertisers/{}/Actions", token.sid)).await,
            "operation_unknown"
        );
    }
    let other = scene.token(&brand, "Other", &["brand.actions.list"], &json!({})).await;
    let access = format!("Bearer {}", scene.access_token(&token, "").await);
    assert_eq!(scene.code(&access, &actions(&other)).await, "account_mismatch", "it names its own token");
    // Nobody signs in with it, and it gets no further token.
    let reply = scene.ask("GET /whoami", &[("authorization", access.as_str())], "").await;
    assert_eq!((reply.status, &reply.json()["token"]["sid"]), (200, &json!(token.sid)));
    let reply = scene.form("POST /v1/token", Some(&access), &[GRANT]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_client")));
    let text = access.strip_prefix("Bearer ").unwrap();
    let reply = scene.form("POST /v1/token", Some(&basic(&token.sid, text)), &[GRANT]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_client")));
    assert_eq!(scene.code(&basic(&token.sid, text), &actions(&token)).await, "credentials_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_narrows_and_never_widens() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list", "brand.ads.list"], &json!({})).await;
    let narrow = format!("Bearer {}", scene.access_token(&token, "brand.ads.list").await);
    assert_eq!(scene.code(&narrow, &ads(&token)).await, "allowed");
    assert_eq!(scene.code(&narrow, &actions(&token)).await, "scope_missing");
    let many: Vec<String> = (0..40).map(|number| format!("brand.scope.{number}")).collect();
    for scope in ["brand.campaigns.list", "nothing", "brand.ads.list  nothing", &many.join(" ")] {
        let reply = scene.form("POST /v1/token", Some(&token.basic()), &[GRANT, ("scope", scope)]).await;
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_scope")), "{scope}");
    }
    // A scope that the token loses is lost at once.
    let line = format!("PATCH {}", token.path);
    let fewer = json!({ "scopes": ["brand.actions.list"] });
    let reply = scene.operator_reply(&line, &[("if-match", "\"1\"")], &fewer).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(scene.code(&narrow, &ads(&token)).await, "scope_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_disable_and_delete_end_it_at_once() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let mut ended = Vec::new();
    for (name, deed) in [("a", "disable"), ("b", "reset"), ("c", "delete"), ("d", "overlap")] {
        let token = scene.token(&brand, name, &["brand.actions.list"], &json!({})).await;
        let access = format!("Bearer {}", scene.access_token(&token, "").await);
        assert_eq!(scene.code(&access, &actions(&token)).await, "allowed");
        match deed {
            "delete" => scene.delete(&token, name).await,
            "overlap" => {
                let body = json!({ "confirm": true, "overlap": "1h" });
                scene.operator(&format!("POST {}/reset", token.path), &body).await;
            }
            deed => drop(scene.act(&token, deed).await),
        }
        assert_eq!(scene.code(&access, &actions(&token)).await, "credentials_invalid", "{deed}");
        ended.push((deed, token, access));
    }
    // What was switched off and on again does not wake what was derived from it before.
    let (_, token, access) = &ended[0];
    scene.act(token, "enable").await;
    assert_eq!(scene.code(&token.bearer(), &actions(token)).await, "allowed");
    assert_eq!(scene.code(access, &actions(token)).await, "credentials_invalid");
    let again = format!("Bearer {}", scene.access_token(token, "").await);
    assert_eq!(scene.code(&again, &actions(token)).await, "allowed");
    // In an overlap the old secret still gets access tokens, and they end with it.
    let (_, token, _) = &ended[3];
    let late = format!("Bearer {}", scene.access_token(token, "").await);
    assert_eq!(scene.code(&late, &actions(token)).await, "allowed");
    scene.act(token, "overlap/end").await;
    assert_eq!(scene.code(&late, &actions(token)).await, "credentials_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_of_the_rfc() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list"], &json!({})).await;
    let wrong = basic(&token.sid, &token.secret.replace(|letter: char| letter.is_ascii_digit(), "x"));
    let right = token.basic();
    let both = [GRANT, ("client_id", token.sid.as_str()), ("client_secret", token.secret.as_str())];
    for (what, authorization, fields, status, error) in [
        ("no grant", Some(&right), [].as_slice(), 400, "invalid_request"),
        ("a grant without a name", Some(&right), &[("grant_type", "")], 400, "invalid_request"),
        ("two grants", Some(&right), &[GRANT, GRANT], 400, "invalid_request"),
        ("the password grant", Some(&right), &[("grant_type", "password")], 400, "unsupported_grant_type"),
        ("nobody", None, &[GRANT], 401, "invalid_client"),
        ("half a client", None, &both[..2], 401, "invalid_client"),
        ("a wrong secret", Some(&wrong), &[GRANT], 401, "invalid_client"),
        ("two ways at once", Some(&right), &both, 400, "invalid_request"),
        ("another client_id", Some(&right), &[GRANT, ("client_id", "BR1")], 400, "invalid_request"),
    ] {
        let reply = scene.form("POST /v1/token", authorization.map(String::as_str), fields).await;
        let told = reply.json();
        assert_eq!((reply.status, &told["error"]), (status, &json!(error)), "{what}: {told}");
        assert!(told["error_description"].as_str().is_some_and(|text| !text.contains('"')), "{what}");
        let challenge = if status == 401 { "Basic realm=\"countersign\"" } else { "" };
        assert_eq!(reply.header("www-authenticate"), challenge, "{what}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let same_id = [GRANT, ("client_id", token.sid.as_str()), ("unknown", "is ignored")];
    assert_eq!(scene.form("POST /v1/token", Some(&right), &same_id).await.status, 200);
    let json_type = [("content-type", "application/json"), ("authorization", right.as_str())];
    assert_eq!(scene.ask("POST /v1/token", &json_type, "{}").await.status, 400);
    assert_eq!(scene.ask("GET /v1/token", &[], "").await.status, 405);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let long = "x".repeat(17 * 1024);
    assert_eq!(scene.ask("POST /v1/token", &[form], &long).await.status, 413);
    assert_eq!(scene.ask("POST /v1/token", &[form], &"a=b&".repeat(17)).await.status, 400);
    // A secret in a URL is neither read nor overlooked.
    let line = format!("POST /v1/token?client_id={}&client_secret={}", token.sid, token.secret);
    assert_eq!(scene.ask(&line, &[form], "grant_type=client_credentials").await.status, 400);

    scene.act(&token, "disable").await;
    let reply = scene.form("POST /v1/token", Some(&right), &[GRANT]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("unauthorized_client")));
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_counted_and_the_right_client_is_not_slowed() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list"], &json!({})).await;
    let mut statuses = Vec::new();
    for number in 0..70 {
        let guess = basic(&token.sid, &format!("guess-{number}"));
        statuses.push(scene.form("POST /v1/token", Some(&guess), &[GRANT]).await.status);
    }
    assert!(statuses[..60].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[61..].iter().all(|status| *status == 429), "{statuses:?}");
    assert_eq!(scene.form("POST /v1/token", Some(&token.basic()), &[GRANT]).await.status, 200);
}
