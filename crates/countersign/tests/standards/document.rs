//! `docs/data-plane.openapi.json` says what the data plane does: every operation of it is answered, every other method is
//! refused, and what real answers hold is what their schemas say.

use serde_json::{Value, json};

use crate::{
    client::{Reply, basic},
    scene::{GATEWAY, Scene},
};

fn document() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data-plane.openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Holds an answer to a schema: every required member is there, and none that the schema does not name.
#[track_caller]
fn fits(document: &Value, schema: &str, reply: &Reply) {
    let schema = &document["components"]["schemas"][schema];
    let told = reply.json();
    let told = told.as_object().unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for name in schema["required"].as_array().unwrap() {
        assert!(told.contains_key(name.as_str().unwrap()), "{name} is missing: {told:?}");
    }
    for (name, value) in told {
        let declared = properties.get(name).unwrap_or_else(|| panic!("{name} is not declared: {told:?}"));
        if let Some(constant) = declared.get("const") {
            assert_eq!(constant, value, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_what_is_answered() {
    let (scene, document) = (Scene::start().await, document());
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{gateway}", GATEWAY);
        let operations = operations.as_object().unwrap();
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let reply = scene.ask(&format!("{method} {path}"), &[], "").await;
            let declared = operations.contains_key(&method.to_lowercase());
            // Forward-auth takes every method: some gateways ask with that of the request.
            let is_taken = declared || path.starts_with("/v1/forward-auth/");
            assert_eq!(reply.status == 405, !is_taken, "{method} {path}: {reply:?}");
            assert_ne!(reply.status, 404, "{method} {path}");
            let told = operations.values().next().unwrap()["responses"].as_object().unwrap();
            assert!(
                !declared || told.contains_key(&reply.status.to_string()),
                "{method} {path} answers {}, which is not declared",
                reply.status
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_answers_fit_their_schemas() {
    let (scene, document) = (Scene::start().await, document());
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list"], &json!({})).await;
    let (gateway, right) = (basic(GATEWAY, &scene.credential), token.basic());
    let uri = format!("/Advertisers/{}/Actions", token.sid);
    let ask = json!({ "authorization": right, "method": "GET", "uri": uri, "host": "api.example.com" });
    fits(&document, "Verdict", &scene.verify(&ask).await);
    let denied = json!({ "authorization": right, "method": "GET", "uri": "/Advertisers" });
    fits(&document, "Verdict", &scene.verify(&denied).await);
    fits(&document, "Verdicts", &scene.verify(&json!({ "asks": [ask, denied] })).await);
    fits(&document, "Problem", &scene.verify(&json!({ "unknown": 1 })).await);
    let members = document["components"]["schemas"]["Ask"]["properties"].as_object().unwrap();
    for name in members.keys() {
        let reply = scene.verify(&json!({ name.as_str(): null })).await;
        assert_ne!(reply.json()["code"], "malformed", "{name} is read");
    }
    let whoami = scene.ask("GET /whoami", &[("authorization", right.as_str())], "").await;
    fits(&document, "WhoAmI", &whoami);
    fits(&document, "Problem", &scene.ask("GET /whoami", &[], "").await);
    let introspect =
        async |text: &str| scene.form("POST /v1/introspect", Some(&gateway), &[("token", text)]).await;
    fits(&document, "Active", &introspect(&token.secret).await);
    fits(&document, "Inactive", &introspect("unknown").await);
    let grant = [("grant_type", "client_credentials")];
    fits(&document, "AccessToken", &scene.form("POST /v1/token", Some(&right), &grant).await);
    fits(&document, "Refusal", &scene.form("POST /v1/token", None, &grant).await);
    fits(&document, "Refusal", &scene.form("POST /v1/revoke", None, &[]).await);
    fits(&document, "KeySet", &scene.ask("GET /.well-known/jwks.json", &[], "").await);
}
