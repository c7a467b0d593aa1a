//! Ending an overlap before its time.

use serde_json::json;

use crate::tokens::world::{Who, World, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn the_old_secret_fails_at_once_and_the_deed_is_told() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, old) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let end = format!("{path}/overlap/end");
    let reset = json!({ "confirm": true, "overlap": "7d" });
    let new = world.post(&home.who, &format!("{path}/reset"), reset).await.expect(200);
    let new = new.json["secret"].as_str().unwrap().to_owned();
    assert_eq!((world.decide(&old), world.decide(&new)), ("allowed", "allowed"));

    let refused = world.post(&home.who, &end, json!({ "confirm": false })).await;
    refused.expect_code(422, "confirmation_missing");
    assert_eq!(world.decide(&old), "allowed");
    let ended = world.post(&home.who, &end, json!({ "confirm": true })).await.expect(200);
    assert_eq!((world.decide(&old), world.decide(&new)), ("credentials_invalid", "allowed"));
    assert_eq!((ended.etag(), &ended.json["token"]["previous_secret"]), (3, &json!(null)));
    assert_eq!(ended.json["secret"], json!(null));
    assert!(ended.json["seq"].as_u64().unwrap() <= world.app.verifier.applied().0);
    let entries = world.audit("token.end_overlap").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].before, json!({ "overlap_ends_at": "2026-07-08T12:00:00Z" }));
    assert_eq!(entries[0].after, json!({ "overlap_ends_at": null }));
    assert!(!entries[0].after.to_string().contains(&old));

    // Again: it is as it is, and nothing is written.
    let head = world.audit_head().await;
    let again = world.post(&home.who, &end, json!({ "confirm": true })).await.expect(200);
    assert_eq!((again.etag(), world.audit_head().await), (3, head));
    assert_eq!(world.decide(&new), "allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_needs_the_scope_of_resets_and_reaches_no_stronger_one() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let scopes = |scope: &str| json!({ "scopes": [scope] });
    let (_, viewer) = world.token(&home, "Viewer", scopes("brand.tokens.view")).await;
    let (_, resetter) = world.token(&home, "Resetter", scopes("brand.tokens.reset")).await;
    let (weak, weak_old) = world.token(&home, "Weak", json!({})).await;
    let (strong, strong_old) = world.token(&home, "Strong", scopes("brand.actions.list")).await;
    for token in [&weak, &strong] {
        let reset = json!({ "confirm": true, "overlap": "24h" });
        world.post(&home.who, &format!("{}/reset", path_of(&home, token)), reset).await.expect(200);
    }
    let end = |token| format!("{}/overlap/end", path_of(&home, token));
    let confirm = json!({ "confirm": true });
    world.post(&Who::Bearer(viewer), &end(&weak), confirm.clone()).await.expect_code(403, "scope_missing");
    let resetter = Who::Bearer(resetter);
    world.post(&resetter, &end(&strong), confirm.clone()).await.expect_code(403, "beyond_own_rights");
    assert_eq!((world.decide(&weak_old), world.decide(&strong_old)), ("allowed", "allowed"));
    world.post(&resetter, &end(&weak), confirm).await.expect(200);
    assert_eq!(world.decide(&weak_old), "credentials_invalid");
}
