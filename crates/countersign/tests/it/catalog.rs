//! Catalogs by the command line: shown, changed, loaded without a restart.

use crate::{
    installation::{Installation, errors, text},
    platform::{SCOPE, ask_of, asking, brand_account, decide, gateway, token},
};

#[tokio::test]
async fn a_catalog_is_shown_changed_and_in_force_without_a_restart() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let token = token(&installation, "Holds a scope that goes");
    let mut client = asking(&server, &gateway).await;
    assert_eq!(decide(&mut client, &ask_of(&token)).await, Ok(()));

    let source = text(&installation.run(&["catalog", "show", "--source"]));
    assert!(source.contains(&format!("id = \"{SCOPE}\"")), "the default catalog has {SCOPE}");
    let renamed = source.replace(&format!("id = \"{SCOPE}\""), "id = \"brand.actions.list_all\"");
    let file = installation.write("catalog.toml", &renamed);
    let file = file.to_str().unwrap();
    let checked = installation.run(&["catalog", "check", file]);
    assert!(checked.status.success(), "{}", errors(&checked));
    let loaded = installation.json(&["catalog", "load", file]);
    let ids: Vec<&str> =
        loaded["differences"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&SCOPE), "{loaded}");

    // The old scope is retired and grants nothing; the new one was given to nobody.
    assert_eq!(decide(&mut client, &ask_of(&token)).await, Err("scope_missing".to_owned()));
}

#[test]
fn a_broken_file_is_not_loaded() {
    let installation = Installation::empty();
    let _server = installation.serve();
    let file = installation.write("catalog.toml", "version_header = 3\n");
    let output = installation.run(&["catalog", "load", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("catalog.toml:1:"), "{}", errors(&output));
    let kinds = installation.json(&["catalog", "show"]);
    assert_eq!(kinds["kinds"].as_array().unwrap().len(), 3, "the catalog in force stays");
}
