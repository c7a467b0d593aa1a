//! Existing credentials brought in by the command line.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    installation::{Installation, errors, text},
    platform::{CONTACT, Token, ask_of, asking, brand_account, decide, gateway},
};

const HEADER: &str =
    "account_external_id,kind,name,sid,secret,access,scopes,api_version,primary_contact,state,created_at\n";

fn row(number: usize) -> String {
    format!(
        "brand,brand,Imported {number},OLD-{number},legacy-Secret-{number:08}-abcdefghijklm,scoped,brand.actions.list,14,{CONTACT},enabled,2025-06-01T00:00:00Z\n"
    )
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_apply_writes_all() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let file = installation.write("tokens.csv", &format!("{HEADER}{}{}", row(1), row(2)));
    let file = file.to_str().unwrap();
    let imported = Token {
        account: String::new(),
        id: String::new(),
        sid: "OLD-1".to_owned(),
        secret: "legacy-Secret-00000001-abcdefghijklm".to_owned(),
    };
    let mut client = asking(&server, &gateway).await;

    let dry = installation.run(&["import", "tokens", file]);
    assert!(dry.status.success(), "{}{}", text(&dry), errors(&dry));
    assert!(errors(&dry).contains("2 rows can be imported; add --apply"), "{}", errors(&dry));
    assert_eq!(decide(&mut client, &ask_of(&imported)).await, Err("credentials_invalid".to_owned()));

    let applied = installation.json(&["import", "tokens", file, "--apply"]);
    assert_eq!(applied["applied"], true, "{applied}");
    assert_eq!(decide(&mut client, &ask_of(&imported)).await, Ok(()));

    let again = installation.run(&["import", "tokens", file, "--apply"]);
    assert_eq!(again.status.code(), Some(1), "the SIDs are in use now");
}

#[tokio::test]
async fn one_bad_row_is_reported_and_nothing_is_written() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let bad = row(2).replace(",14,", ",99,");
    let file = installation.write("tokens.csv", &format!("{HEADER}{}{bad}", row(1)));
    let output = installation.run(&["import", "tokens", file.to_str().unwrap(), "--apply"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("1 of 2 rows are refused; nothing was written"), "{}", errors(&output));
    let report = text(&output);
    assert!(report.lines().any(|line| line.starts_with('2') && line.contains("api_version")), "{report}");
    let tokens = installation.json(&["token", "list", "brand"]);
    assert_eq!(tokens, Value::Array(Vec::new()));
}

/// 100,000 rows in full, 5,000 otherwise: the command must say so within a minute.
#[tokio::test]
async fn many_rows_are_imported_in_under_a_minute() {
    let rows = if std::env::var("COUNTERSIGN_TEST_FULL").is_ok() { 100_000 } else { 5_000 };
    let accounts = rows / 1_000;
    let installation = Installation::empty();
    let server = installation.serve();
    let mut csv = HEADER.to_owned();
    for account in 0..accounts {
        let external_id = format!("account-{account}");
        let email = format!("administrator-{account}@brand.example");
        let made = installation.json(&[
            "account",
            "create",
            &external_id,
            "--kind",
            "brand",
            "--external-id",
            &external_id,
            "--administrator",
            &email,
        ]);
        crate::platform::accept(&server, made["invitation"]["link"].as_str().unwrap()).await;
        for number in account * 1_000..(account + 1) * 1_000 {
            let line = row(number).replacen("brand,", &format!("{external_id},"), 1).replace(CONTACT, &email);
            csv.write_str(&line).unwrap();
        }
    }
    let file = installation.write("tokens.csv", &csv);
    let before = std::fs::metadata(&file).unwrap().len();
    let started = started();
    let applied = installation.json(&["import", "tokens", file.to_str().unwrap(), "--apply"]);
    let took = started.elapsed();
    println!("imported {rows} rows ({before} bytes) in {took:?}");
    assert_eq!(applied["accepted"].as_u64(), Some(rows as u64), "{}", applied["report"]);
    assert!(took.as_secs() < 60, "{took:?}");
}

#[expect(clippy::disallowed_methods, reason = "this test is about a duration")]
fn started() -> std::time::Instant {
    std::time::Instant::now()
}
