//! The audit trail from the command line.

use serde_json::Value;

use crate::{
    installation::{Installation, text},
    platform::{brand_account, token},
};

#[tokio::test]
async fn the_trail_is_exported_whole_chained_and_without_secrets() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let token = token(&installation, "Audited");
    installation.json(&["token", "disable", &token.sid]);

    let finding = installation.json(&["audit", "verify"]);
    let export = installation.run(&["audit", "export"]);
    let lines = text(&export);
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Every command is an entry of its own, so the export has at least what was verified.
    assert!(entries.len() as u64 >= finding["entries"].as_u64().unwrap());
    for (entry, before) in entries.iter().skip(1).zip(&entries) {
        assert_eq!(entry["previous_hash"], before["hash"]);
    }
    let disable = entries.iter().find(|entry| entry["action"] == "token.disable").unwrap();
    assert_eq!(disable["actor"]["kind"], "cli");
    assert!(!lines.contains(&token.secret));

    let file = installation.path("trail.jsonl");
    let to_file = installation.run(&["audit", "export", "--out", file.to_str().unwrap()]);
    assert!(to_file.status.success());
    assert!(std::fs::read_to_string(file).unwrap().starts_with(lines.lines().next().unwrap()));
}
