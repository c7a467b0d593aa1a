//! Revocation by the holder (RFC 7009): in force when it is answered, audited, and no way to find out about others.

use serde_json::{Value, json};

use crate::{
    client::basic,
    scene::{Scene, Token},
};

fn actions(token: &Token) -> String {
    format!("GET /Advertisers/{}/Actions", token.sid)
}

async fn newest_deed(scene: &Scene) -> Value {
    scene.operator("GET /api/v1/audit?limit=1", &Value::Null).await["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auth_token_ends_its_token_for_everybody() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Leaked", &["brand.actions.list"], &json!({})).await;
    let access = format!("Bearer {}", scene.access_token(&token, "").await);
    let fields = [("token", token.secret.as_str()), ("token_type_hint", "refresh_token")];
    let reply = scene.form("POST /v1/revoke", None, &fields).await;
    assert_eq!((reply.status, reply.body.len()), (200, 0), "{reply:?}");
    assert_eq!(scene.code(&token.basic(), &actions(&token)).await, "token_disabled");
    assert_eq!(scene.code(&access, &actions(&token)).await, "credentials_invalid");
    let deed = newest_deed(&scene).await;
    assert_eq!(
        (&deed["action"], &deed["actor"]["label"]),
        (&json!("token.disable"), &json!(token.sid)),
        "{deed}"
    );
    let again = scene.form("POST /v1/revoke", None, &fields).await;
    assert_eq!(
        (again.status, &newest_deed(&scene).await["number"]),
        (200, &deed["number"]),
        "nothing is left to do"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_with_its_siblings_and_leaves_its_token() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Kept", &["brand.actions.list"], &json!({})).await;
    let (one, two) = (scene.access_token(&token, "").await, scene.access_token(&token, "").await);
    let reply = scene.form("POST /v1/revoke", Some(&token.basic()), &[("token", &one)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for access in [&one, &two] {
        assert_eq!(scene.code(&format!("Bearer {access}"), &actions(&token)).await, "credentials_invalid");
    }
    assert_eq!(scene.code(&token.basic(), &actions(&token)).await, "allowed");
    assert_eq!(newest_deed(&scene).await["action"], "token.end_access_tokens");
    let fresh = scene.access_token(&token, "").await;
    assert_eq!(scene.code(&format!("Bearer {fresh}"), &actions(&token)).await, "allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_nothing_ends_nothing_and_learns_nothing() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let mine = scene.token(&brand, "Mine", &["brand.actions.list"], &json!({})).await;
    let other = scene.token(&brand, "Other", &["brand.actions.list"], &json!({})).await;
    let before = newest_deed(&scene).await["number"].clone();
    for unknown in ["unknown", &mine.sid, "csat_AAAA", "two words", &mine.secret[..20]] {
        let reply = scene.form("POST /v1/revoke", None, &[("token", unknown)]).await;
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{unknown}: {reply:?}");
    }
    let reply = scene.form("POST /v1/revoke", Some(&other.basic()), &[("token", &mine.secret)]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_grant")));
    let wrong = basic(&mine.sid, "wrong");
    let reply = scene.form("POST /v1/revoke", Some(&wrong), &[("token", &mine.secret)]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_client")));
    let reply = scene.form("POST /v1/revoke", None, &[]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_request")));
    assert_eq!(scene.ask("GET /v1/revoke", &[], "").await.status, 405);
    assert_eq!(scene.code(&mine.basic(), &actions(&mine)).await, "allowed");
    assert_eq!(newest_deed(&scene).await["number"], before);
}
