//! The OpenAPI document, and the copy of it in docs/openapi.json from which clients are generated.

use std::path::Path;

use countersign_server::http::document;

#[test]
fn the_committed_copy_is_the_generated_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let generated = document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/openapi.json is stale; renew it with: UPDATE_OPENAPI=1 cargo test -p countersign-server --test it openapi"
    );
}
