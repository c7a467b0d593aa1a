//! What is refused: a second rotation beside the first, a third layer, a start without a key that is needed.

use std::fs;

use countersign_server::keys::KeysError;
use countersign_server::open::OpenError;
use serde_json::json;

use super::stage::{Stage, finish, verifies};

#[tokio::test(flavor = "multi_thread")]
async fn one_rotation_runs_at_a_time() {
    let stage = Stage::new().await;
    stage.begin("reveal_root").await;
    for key in ["reveal_root", "pepper"] {
        let refused = stage.world.cli().post("/api/v1/keys/rotations", json!({ "key": key })).await;
        assert_eq!(refused.expect_problem(409, "rotation_running").json()["key"], "reveal_root");
    }
    finish(&stage.world.app).await;
    stage.begin("pepper").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_three_layers() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    stage.begin("pepper").await;
    finish(app).await;
    for key in ["pepper", "verify_root"] {
        let refused = stage.world.cli().post("/api/v1/keys/rotations", json!({ "key": key })).await;
        let problem = refused.expect_problem(409, "layered_tokens").json();
        assert_eq!(problem["count"], 8);
        assert_eq!(problem["tokens"].as_array().unwrap().len(), 8);
        assert!(problem["tokens"][0]["sid"].is_string() && problem["tokens"][0]["secret"].is_null());
    }
    // Roots that open are not concerned; and whoever insists ends what is under the layer.
    stage.begin("reveal_root").await;
    finish(app).await;
    let asked = json!({ "key": "pepper", "drop_layered": true });
    stage.world.cli().post("/api/v1/keys/rotations", asked).await.expect(202);
    finish(app).await;
    for known in &stage.known {
        assert_eq!(verifies(app, &known.secret), known.recoverable);
    }
    assert_eq!(stage.keys().await["layered_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_never_called_stands_in_the_way_of_another_verify_root() {
    let stage = Stage::new().await;
    stage.begin("verify_root").await;
    finish(&stage.world.app).await;
    for known in &stage.known {
        assert!(verifies(&stage.world.app, &known.secret));
    }
    countersign_server::ops::keys::renew(&stage.world.app).await.unwrap();
    let refused = stage.world.cli().post("/api/v1/keys/rotations", json!({ "key": "verify_root" })).await;
    assert_eq!(refused.expect_problem(409, "layered_credentials").json()["count"], 2);
    stage.world.operator.post("/api/v1/gateways/edge/reset", json!({})).await.expect(200);
    stage.platform.get("/api/v1/keys").await.expect(200);
    stage.begin("verify_root").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_does_not_open_without_the_keys_it_needs() {
    let stage = Stage::new().await;
    stage.begin("reveal_root").await;
    finish(&stage.world.app).await;
    let refused = |opened: Result<_, OpenError>| match opened {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    };
    let gone = stage.copied(|_, at| fs::remove_file(at.join("keys/root-reveal.2")).unwrap()).await;
    let gone = refused(gone);
    assert!(matches!(&gone, OpenError::Keys(KeysError::Missing { key }) if key.ends_with("root-reveal.2")));
    assert!(gone.to_string().contains("restore that file"), "{gone}");
    let exchanged = stage
        .copied(|_, at| {
            fs::remove_file(at.join("keys/root-reveal.2")).unwrap();
            fs::copy(at.join("keys/root-reveal"), at.join("keys/root-reveal.2")).unwrap();
        })
        .await;
    let exchanged = refused(exchanged);
    assert!(matches!(&exchanged, OpenError::Keys(KeysError::Wrong(key)) if key.ends_with("root-reveal.2")));
    assert!(exchanged.to_string().contains("not the one this data was written with"), "{exchanged}");
    let shared = stage
        .copied(|_, at| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(at.join("keys"), fs::Permissions::from_mode(0o755)).unwrap();
        })
        .await;
    let shared = refused(shared);
    assert!(shared.to_string().contains("chmod 700"), "{shared}");
}
