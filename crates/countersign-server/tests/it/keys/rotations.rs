//! Every rotation, cut off at every step.

use countersign_server::{
    app::App,
    keys::Purpose,
    ops::keys::{self, Stepped},
};
use countersign_store::{KeyKind, KeyState, Rotation};
use serde_json::json;

use super::stage::{Stage, finish, opened, states, verifies};

/// After every step the files are copied, as a crash would leave them; the copy finishes the rotation by itself.
async fn cut_off_everywhere(kind: Rotation) {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    stage.begin(kind.word()).await;
    let mut steps = 0;
    loop {
        stage.check(app).await;
        let copy = stage.copied(|_, _| {}).await.unwrap();
        stage.check(&copy.app).await;
        let left = finish(&copy.app).await;
        stage.check(&copy.app).await;
        if keys::step(app).await.unwrap() == Stepped::Idle {
            assert_eq!(left, 0);
            break;
        }
        steps += 1;
    }
    stage.check(app).await;
    println!("{}: cut off at {steps} steps", kind.word());
    assert!(steps >= 3, "{steps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reveal_root_is_rotated_whatever_happens() {
    cut_off_everywhere(Rotation::RevealRoot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_keys_are_rotated_whatever_happens() {
    cut_off_everywhere(Rotation::DataKeys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pepper_is_rotated_whatever_happens() {
    cut_off_everywhere(Rotation::Pepper).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verify_root_is_rotated_whatever_happens() {
    cut_off_everywhere(Rotation::VerifyRoot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_reveal_root_the_old_file_is_not_needed() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    stage.begin("reveal_root").await;
    finish(app).await;
    assert_eq!(states(app, KeyKind::RevealRoot).await, [(2, KeyState::Current), (1, KeyState::Retired)]);
    let said = stage.keys().await;
    assert_eq!(said["files"], json!(["root-verify", "root-reveal.2"]));
    assert_eq!(said["spare_files"], json!(["root-reveal"]));
    let copy =
        stage.copied(|_, at| std::fs::remove_file(at.join("keys/root-reveal")).unwrap()).await.unwrap();
    stage.check(&copy.app).await;
    // What is written today opens with the new root as well.
    let mut stage = stage;
    let (account, ada) = (stage.account.clone(), stage.ada.clone());
    stage.create(&account, &ada, "After", true).await;
    stage.check(&stage.world.app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_new_data_keys_everything_is_sealed_with_them() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    let hook = json!({ "url": "https://hooks.example.com/in" });
    stage.world.operator.post("/api/v1/webhooks", hook).await.expect(201);
    let before = app.store.sealed_secrets(("", 0), 100).await.unwrap();
    let hooks = app.store.webhook_secrets_after("", 10).await.unwrap();
    stage.begin("data_keys").await;
    finish(app).await;
    let after = app.store.sealed_secrets(("", 0), 100).await.unwrap();
    assert_eq!((before.len(), after.len()), (6, 6));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.data_key, after.data_key), (Some(1), Some(2)));
        assert_ne!(before.sealed, after.sealed);
        assert_eq!(before.digest, after.digest);
    }
    assert_ne!(app.store.webhook_secrets_after("", 10).await.unwrap()[0].secret, hooks[0].secret);
    assert_eq!(app.store.key_table().await.unwrap().installation.len(), 1, "the old key is gone");
    for account in app.store.account_keys_after("", app.clock.wall(), 10).await.unwrap() {
        assert_eq!((account.present.generation, account.former), (2, None));
    }
    stage.check(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_pepper_digests_are_made_anew_as_they_are_used() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    stage.begin("pepper").await;
    finish(app).await;
    assert_eq!(states(app, KeyKind::Pepper).await, [(2, KeyState::Current), (1, KeyState::Layered)]);
    assert_eq!(stage.keys().await["layered_count"], 8, "six that are shown once and two imported digests");
    // What is used is made anew; one after the other comes out from under the layer.
    for (used, known) in stage.known.iter().filter(|known| !known.recoverable).enumerate() {
        assert!(verifies(app, &known.secret));
        keys::renew(app).await.unwrap();
        assert_eq!(app.store.layered_tokens(app.clock.wall(), 9).await.unwrap().1, 7 - used as u64);
        assert!(verifies(app, &known.secret));
    }
    keys::retire(app).await.unwrap();
    assert_eq!(states(app, KeyKind::Pepper).await, [(2, KeyState::Current), (1, KeyState::Retired)]);
    stage.check(app).await;
    let copy = stage.copied(|_, _| {}).await.unwrap();
    stage.check(&copy.app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_verify_root_everybody_is_still_known() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    let person = stage.ada.get("/api/v1/session").await.expect(200).json();
    let invite = json!({ "email": "later@example.com", "role": "analyst" });
    let path = format!("/api/v1/accounts/{}/invitations", stage.account);
    let invited = stage.ada.post(&path, invite).await.expect(201);
    stage.begin("verify_root").await;
    finish(app).await;
    stage.check(app).await;
    assert_eq!(stage.ada.get("/api/v1/session").await.expect(200).json()["person"], person["person"]);
    stage.platform.get("/api/v1/keys").await.expect(200);
    let claims = [stage.gateway.as_str(), "csgw_0000000000000000000000000000000000000"];
    let known = claims.map(|claim| gateway_is_known(app, claim));
    assert_eq!(known, [true, false]);
    let code = crate::harness::code_of(&invited.json());
    let accept = json!({ "code": code, "name": "Later", "password": crate::harness::PASSWORD });
    stage.world.browser().post("/api/v1/invitations/accept", accept).await.expect(201);
    // Who called once is known by the new root alone. The old one goes when no session can be known by it any more.
    keys::renew(app).await.unwrap();
    assert_eq!(app.store.count_tags_before_root(2).await.unwrap(), 0);
    assert!(gateway_is_known(app, &stage.gateway));
    stage.platform.get("/api/v1/keys").await.expect(200);
    keys::retire(app).await.unwrap();
    let former = [(2, KeyState::Current), (1, KeyState::Former)];
    assert_eq!(states(app, KeyKind::VerifyRoot).await, former, "sessions are still known by it");
    stage.world.clock.advance_secs(72 * 3_600);
    keys::retire(app).await.unwrap();
    let retired = [(2, KeyState::Current), (1, KeyState::Retired)];
    assert_eq!(states(app, KeyKind::VerifyRoot).await, retired);
    stage.check(app).await;
    let spare = |at: &std::path::Path| std::fs::remove_file(at.join("keys/root-verify")).unwrap();
    let copy = stage.copied(|_, at| spare(at)).await.unwrap();
    stage.check(&copy.app).await;
    assert!(gateway_is_known(&copy.app, &stage.gateway));
}

/// As the doors do it.
pub fn gateway_is_known(app: &App, credential: &str) -> bool {
    let tags = app.keys.tags(Purpose::Gateway, credential.as_bytes());
    let found = app.gateways.find_by_tags(&tags);
    found.inspect(|gateway| app.gateways.note_proved(gateway, &tags)).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rotation_after_another() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    for round in 0..2 {
        for kind in Rotation::ALL {
            stage.begin(kind.word()).await;
            finish(app).await;
            stage.check(app).await;
            assert!(gateway_is_known(app, &stage.gateway), "round {round}");
            stage.platform.get("/api/v1/keys").await.expect(200);
            keys::renew(app).await.unwrap();
            keys::retire(app).await.unwrap();
        }
    }
    let recoverable = stage.known.iter().find(|known| known.recoverable).unwrap();
    assert_eq!(opened(app, recoverable).await, recoverable.secret);
    let said = stage.keys().await;
    assert_eq!((&said["layered_count"], &said["rotation"]["number"]), (&json!(0), &json!(8)));
}
