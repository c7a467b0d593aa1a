//! Revocation by the holder (RFC 7009): in force when it is answered, audited, and no way to find out about others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinSet};

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

/// Connections over which a token is used against its own account.
const HOLDERS: usize = 16;
/// Times in a row that holders of a token end its access tokens before they wait.
const BURST: u64 = 10;

/// What came of the revocations of one token.
#[derive(Default)]
struct Heard {
    done: AtomicUsize,
    told_to_wait: AtomicUsize,
}

/// Gets an access token and revokes it, over and over, until it is over or the token is.
async fn hold(
    scene: Arc<Scene>,
    token: Token,
    heard: Arc<Heard>,
    (begun, over): (Arc<Barrier>, Arc<AtomicBool>),
) {
    let mut is_first = true;
    while !over.load(Ordering::Relaxed) {
        let grant = [("grant_type", "client_credentials")];
        let reply = scene.form("POST /v1/token", Some(&token.basic()), &grant).await;
        if reply.status == 200 {
            let access = reply.json()["access_token"].as_str().unwrap().to_owned();
            let reply = scene.form("POST /v1/revoke", None, &[("token", &access)]).await;
            match reply.status {
                200 => _ = heard.done.fetch_add(1, Ordering::Relaxed),
                429 => {
                    assert_eq!(reply.json()["error"], "temporarily_unavailable");
                    assert!((1..=60).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
                    heard.told_to_wait.fetch_add(1, Ordering::Relaxed);
                }
                _ => panic!("{reply:?}"),
            }
        }
        if std::mem::take(&mut is_first) {
            begun.wait().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_holder_keeps_a_token_from_being_ended_or_fills_the_audit_trail() {
    let scene = Arc::new(Scene::start().await);
    let brand = scene.account("brand", "acme").await;
    for deed in ["disable", "reset", "delete"] {
        let token = scene.token(&brand, deed, &["brand.actions.list"], &json!({})).await;
        let before = newest_deed(&scene).await["number"].as_u64().unwrap();
        let (heard, over) = (Arc::new(Heard::default()), Arc::new(AtomicBool::new(false)));
        let begun = Arc::new(Barrier::new(HOLDERS + 1));
        let mut holders = JoinSet::new();
        for _ in 0..HOLDERS {
            let ends = (Arc::clone(&begun), Arc::clone(&over));
            holders.spawn(hold(Arc::clone(&scene), token.clone(), Arc::clone(&heard), ends));
        }
        let since = Instant::now();
        begun.wait().await;
        match deed {
            // The first try of each: whatever is refused is a failure of the test.
            "delete" => scene.delete(&token, deed).await,
            _ => _ = scene.act(&token, deed).await,
        }
        while since.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(20)).await; // poll
        }
        over.store(true, Ordering::Relaxed);
        holders.join_all().await;
        let written = newest_deed(&scene).await["number"].as_u64().unwrap() - before;
        let (done, waited) = (heard.done.load(Ordering::Relaxed), heard.told_to_wait.load(Ordering::Relaxed));
        assert!(done > 0 && waited > 0, "{deed}: {done} revocations, {waited} told to wait");
        // The deed, the burst, and what is forgiven meanwhile.
        assert!(written <= 1 + BURST + 2, "{deed}: {written} entries of {done} revocations");
        assert_ne!(scene.code(&token.basic(), &actions(&token)).await, "allowed", "{deed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_has_ended_is_revoked_again_for_nothing() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Again", &["brand.actions.list"], &json!({})).await;
    let access = scene.access_token(&token, "").await;
    let mut entries = Vec::new();
    for _ in 0..3 * BURST {
        let reply = scene.form("POST /v1/revoke", None, &[("token", &access)]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        entries.push(newest_deed(&scene).await["number"].clone());
    }
    entries.dedup();
    assert_eq!(entries.len(), 1, "one entry in all: {entries:?}");
    // Its edit number is what it was when it was made, so whoever saw it then can still edit it.
    scene.delete(&token, "Again").await;
}
