//! *Show once*: what was sealed is erased, from the rows, from free pages and from the log, and does not come back.

use std::fs;

use countersign_server::ops::keys;
use serde_json::json;

use super::stage::{Stage, bytes_in, holds, verifies};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_shows_once_keeps_no_sealed_secret() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    let sealed: Vec<Vec<u8>> = app
        .store
        .sealed_secrets(("", 0), 100)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|secret| secret.sealed)
        .collect();
    assert_eq!(sealed.len(), 6);
    let data = stage.world.directory().join("data");
    assert!(holds(&bytes_in(&data), &sealed[0]), "this test looks where it is");
    let wrapped = app.store.account(stage.account.parse().unwrap()).await.unwrap().unwrap().data_key;
    let path = format!("/api/v1/accounts/{}", stage.account);
    let seen = stage.ada.get(&path).await.expect(200);
    let policy = |tag: &str, reveal: &str| {
        stage.ada.request("PATCH", &path).header("if-match", tag).json(&json!({ "reveal": reveal }))
    };
    let lowered = policy(seen.header("etag"), "once").send().await.expect(200);
    let files = bytes_in(&data);
    for one in sealed.iter().chain([&wrapped.wrapped]) {
        assert!(!holds(&files, one), "a sealed secret, or the key that opens it, is still in the files");
    }
    assert!(app.store.sealed_secrets(("", 0), 100).await.unwrap().is_empty());
    let token = stage.known.iter().find(|known| known.recoverable).unwrap();
    assert!(verifies(app, &token.secret), "it works as before");
    let reveal = format!("{path}/tokens/{}/reveal", token.token.unwrap());
    let refused = stage.ada.post(&reveal, json!({})).await.expect_problem(409, "secret_unavailable");
    assert_eq!(refused.json()["reason"], "shown_once");
    // The other way only by reset.
    policy(lowered.header("etag"), "recoverable").send().await.expect(200);
    let refused = stage.ada.post(&reveal, json!({})).await.expect_problem(409, "secret_unavailable");
    assert_eq!(refused.json()["reason"], "digest_only");
    let reset = format!("{path}/tokens/{}/reset", token.token.unwrap());
    let new = stage.ada.post(&reset, json!({ "confirm": true })).await.expect(200).json();
    let shown = stage.ada.post(&reveal, json!({})).await.expect(200).json();
    assert_eq!(shown["secret"], new["secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_shows_once_erases_what_it_has() {
    let stage = Stage::new().await;
    let sealed = stage.world.app.store.sealed_secrets(("", 0), 100).await.unwrap();
    let copy = stage.copied(|settings, _| settings.reveal_once = true).await.unwrap();
    let data = copy.directory.path().join("data");
    assert!(holds(&bytes_in(&data), sealed[0].sealed.as_deref().unwrap()), "this test looks where it is");
    assert_eq!(keys::erase_everywhere(&copy.app).await.unwrap(), sealed.len() as u64);
    assert_eq!(keys::erase_everywhere(&copy.app).await.unwrap(), 0, "twice is once");
    let files = bytes_in(&data);
    for one in &sealed {
        assert!(!holds(&files, one.sealed.as_deref().unwrap()), "a sealed secret is still in the files");
    }
    for known in &stage.known {
        assert!(verifies(&copy.app, &known.secret));
    }
    assert!(fs::metadata(data.join("countersign.db-wal")).is_ok_and(|log| log.len() == 0));
}
