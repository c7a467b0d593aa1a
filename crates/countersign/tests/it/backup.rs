//! Backups: made while changes go on, encrypted to a recipient, examined without keys, and put back.

use std::{fs, path::Path};

use age::x25519::Identity;
use http::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    installation::{Installation, errors, text},
    platform::{Token, brand_account, operating, platform_credential, token},
};

const WRITERS: usize = 4;

/// Disables and enables a token until told to stop; answers the state that was answered last.
async fn change(mut client: Client, token: Token, stop: tokio_util::sync::CancellationToken) -> &'static str {
    let mut state = "enabled";
    while !stop.is_cancelled() {
        let (deed, then) = if state == "enabled" { ("disable", "disabled") } else { ("enable", "enabled") };
        let path = format!("/api/v1/accounts/{}/tokens/{}/{deed}", token.account, token.id);
        let answer = client.ask(Method::POST, &path, Some(&json!({}))).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        state = then;
    }
    state
}

fn copy_keys(from: &Installation, to: &Installation) {
    let keys = to.path("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from.path("keys")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), keys.join(entry.file_name())).unwrap();
    }
}

fn manifest(bytes: &[u8]) -> Value {
    let line = bytes.split(|byte| *byte == b'\n').nth(1).unwrap();
    serde_json::from_slice(line).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_busy_installation_is_whole_and_comes_back() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let credential = platform_credential(&installation);
    let tokens: Vec<Token> =
        (0..WRITERS).map(|number| token(&installation, &format!("Token {number}"))).collect();
    let stop = tokio_util::sync::CancellationToken::new();
    let mut writers = Vec::new();
    for token in &tokens {
        let client = operating(&server, &credential).await;
        writers.push(tokio::spawn(change(client, token.clone(), stop.clone())));
    }
    let mut earlier = 0;
    for number in 0..3 {
        let file = format!("{number}.backup");
        let made = installation.run(&["backup", "make", &file]);
        assert!(made.status.success(), "{}", errors(&made));
        assert!(errors(&made).contains("not encrypted"), "{}", errors(&made));
        let checked = installation.json(&["backup", "verify", &file]);
        let seq = checked["seq"].as_u64().unwrap();
        assert!(seq > earlier, "changes went on: {seq} after {earlier}");
        earlier = seq;
    }
    stop.cancel();
    for (token, writer) in tokens.iter().zip(writers) {
        let state = writer.await.unwrap();
        assert_eq!(installation.json(&["token", "show", &token.sid])["state"], state);
    }
    assert!(!installation.path("data/backup.part").exists(), "the copy has no name once it is made");

    let elsewhere = Installation::empty();
    copy_keys(&installation, &elsewhere);
    let file = installation.path("2.backup");
    let restored = elsewhere.run(&["restore", file.to_str().unwrap()]);
    assert!(restored.status.success(), "{}{}", text(&restored), errors(&restored));
    let back = elsewhere.serve();
    for token in &tokens {
        let shown = elsewhere.json(&["token", "show", &token.sid]);
        assert!(["enabled", "disabled"].contains(&shown["state"].as_str().unwrap()), "{shown}");
    }
    let entries = elsewhere.json(&["audit", "verify"]);
    assert_eq!(entries["whole"], true, "{entries}");
    let mut client = operating(&back, &credential).await;
    let page = client.ask(Method::GET, "/api/v1/audit?action=backup.", None).await;
    assert_eq!(page.body["items"][0]["action"], "backup.restore", "{}", page.body);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_replaced() {
    let installation = Installation::empty();
    drop(installation.serve());
    let made = installation.run(&["backup", "make", "a.backup"]);
    assert!(made.status.success(), "{}", errors(&made));
    let bytes = fs::read(installation.path("a.backup")).unwrap();
    let again = installation.run(&["backup", "make", "a.backup"]);
    assert!(errors(&again).contains("choose a name that is free"), "{}", errors(&again));

    let database = fs::read(installation.path("data/countersign.db")).unwrap();
    let refused = |name: &str, bytes: &[u8], on: &Installation, words: &str| {
        let path = on.path(name);
        fs::write(&path, bytes).unwrap();
        let output = on.run(&["restore", "--replace", "--yes", name]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", errors(&output));
        assert!(errors(&output).contains(words), "{name}: {}", errors(&output));
    };
    let plain = installation.run(&["restore", "a.backup"]);
    assert!(errors(&plain).contains("--replace"), "{}", errors(&plain));
    let newer = String::from_utf8_lossy(&bytes[..2000]).replacen(
        &format!("\"schema_version\":{}", manifest(&bytes)["schema_version"]),
        "\"schema_version\":9999",
        1,
    );
    refused("newer", newer.as_bytes(), &installation, "newer Countersign");
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    refused("changed", &changed, &installation, "not the one its manifest tells of");
    refused("cut", &bytes[..bytes.len() - 5000], &installation, "not the one its manifest tells of");
    let longer: Vec<u8> = [bytes.as_slice(), b"more"].concat();
    refused("longer", &longer, &installation, "not the one its manifest tells of");
    refused("nothing", b"", &installation, "no backup");
    refused("other", b"something else\n{}\n", &installation, "no backup");
    assert_eq!(fs::read(installation.path("data/countersign.db")).unwrap(), database);

    let strangers = Installation::empty();
    drop(strangers.serve());
    refused("a.backup", &bytes, &strangers, "not those of this backup");
    let keyless = Installation::empty();
    fs::write(keyless.path("a.backup"), &bytes).unwrap();
    let output = keyless.run(&["restore", "a.backup"]);
    assert!(!output.status.success());
    assert!(errors(&output).contains("key"), "{}", errors(&output));
    assert!(!Path::new(&keyless.path("data/countersign.db")).exists());
}

#[test]
fn an_encrypted_backup_opens_only_for_its_recipient_and_replaces_what_is_kept() {
    let installation = Installation::empty();
    drop(installation.serve());
    let identity = Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let mine = installation.write("identity", &secret);
    let recipient = identity.to_public().to_string();
    let made = installation.run(&["backup", "make", "b.age", "--recipient", &recipient]);
    assert!(made.status.success(), "{}", errors(&made));
    let bytes = fs::read(installation.path("b.age")).unwrap();
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!has(b"SQLite format") && !has(b"countersign-backup"), "it tells nothing of what is in it");
    installation.json(&["account", "create", "Later", "--kind", "brand", "--external-id", "later"]);

    for (identity, words) in
        [(None, "name the file with your age identity"), (Some("other"), "not encrypted to")]
    {
        if let Some(name) = identity {
            let other = Identity::generate().to_string();
            installation.write(name, age::secrecy::ExposeSecret::expose_secret(&other));
        }
        let mut arguments = vec!["restore", "b.age", "--replace", "--yes"];
        arguments.extend(identity.iter().flat_map(|name| ["--identity", name]));
        let refused = installation.run(&arguments);
        assert_eq!(refused.status.code(), Some(1), "{}", errors(&refused));
        assert!(errors(&refused).contains(words), "{}", errors(&refused));
    }
    let unasked = installation.run(&["restore", "b.age", "--replace", "--identity", mine.to_str().unwrap()]);
    assert_eq!(unasked.status.code(), Some(2), "{}", errors(&unasked));
    let done = installation.run(&["restore", "b.age", "--replace", "--yes", "--identity", "identity"]);
    assert!(done.status.success(), "{}{}", text(&done), errors(&done));
    let accounts = installation.json(&["account", "list"]);
    assert!(!accounts.to_string().contains("later"), "{accounts}");
    assert!(installation.path("data/countersign.db.before-restore-1").exists());
}
