//! `/api/v1/import` and the use case behind it.

use std::fmt::Write as _;

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
};
use countersign_server::{
    caller::{Caller, Identity},
    ops::import::{self, Progress},
    rights::Operator,
};
use countersign_store::RevealPolicy;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::tokens::world::{Home, Reply, Who, World};

const HEADER: &str = "account_external_id,kind,name,sid,secret,secret_sha256,access,scopes,api_version,primary_contact,state,created_at";

async fn import(world: &World, who: &Who, rows: &[&str], apply: bool) -> Reply {
    let body = format!("{HEADER}\n{}\n", rows.join("\n"));
    let request =
        ::http::Request::post(format!("/api/v1/import?apply={apply}")).header("content-type", "text/csv");
    world.send(who, request.body(body.into()).unwrap()).await
}

fn basic(world: &World, sid: &str, secret: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let header = format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")));
    let ask = Ask {
        authorization: Authorization::One(header.as_bytes()),
        target: Target::Identity,
        version_headers: &[],
        client_address: None,
        min_seq: None,
    };
    match world.app.verifier.decide(&ask, world.app.clock.now()) {
        Decision::Allow(_) => "allowed".to_owned(),
        Decision::Deny(denied) => denied.denial.code().to_owned(),
        Decision::Unavailable(reason) => reason.code().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_in_as_they_are_and_nothing_is_written_before() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (minted, _) = {
        let (token, secret) = world.token(&home, "Pattern", json!({})).await;
        (secret, token)
    };
    let sha256 =
        Sha256::digest(b"only-its-digest-is-known-42").iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        });
    let rows = [
        "acme,brand,Old pair,OLD_pair-1,Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5,,read_write,,13,,enabled,2019-02-03",
        "acme,brand,Old reader,OLD_pair-2,weak,,read_only,,13,,enabled,2019-02-03T04:05:06+08:00",
        &format!(
            "acme,brand,\"Comma, quoted\",NEW-1,,{sha256},scoped,brand.actions.list brand.actions.update,14,ADMIN@acme.example,enabled,2026-01-01"
        ),
        "acme,brand,Off,NEW-2,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,,scoped,,14,admin@acme.example,disabled,2026-01-02",
    ];
    let head = world.audit_head().await;
    let dry = import(&world, &Who::Operator, &rows, false).await.expect(200);
    assert_eq!(dry.json, json!({ "rows": 4, "accepted": 4, "refused": 0, "applied": false, "report": [] }));
    assert_eq!(
        (world.audit_head().await, basic(&world, "NEW-1", "only-its-digest-is-known-42")),
        (head, "credentials_invalid".to_owned())
    );
    let done = import(&world, &Who::Operator, &rows, true).await.expect(200);
    assert_eq!((&done.json["applied"], &done.json["accepted"]), (&json!(true), &json!(4)), "{}", done.text);
    for (sid, secret, answer) in [
        ("OLD_pair-1", "Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5", "allowed"),
        ("OLD_pair-2", "weak", "allowed"),
        ("NEW-1", "only-its-digest-is-known-42", "allowed"),
        ("NEW-2", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "token_disabled"),
        ("NEW-1", "weak", "credentials_invalid"),
    ] {
        assert_eq!(basic(&world, sid, secret), answer, "{sid}");
    }
    let card = world.get(&home.who, &format!("/accounts/{}/legacy-tokens", home.account)).await.expect(200);
    assert_eq!(
        (&card.json["enabled"], &card.json["read_write"]["sid"]),
        (&json!(true), &json!("OLD_pair-1"))
    );
    assert_eq!(card.json["read_only"]["secret"]["weak"], true);
    assert_eq!(card.json["read_write"]["secret"]["recoverable"], true);
    assert_eq!(card.json["read_only"]["created_at"], "2019-02-02T20:05:06Z");
    let list =
        world.get(&home.who, &format!("/accounts/{}/tokens?name=quoted", home.account)).await.expect(200);
    assert_eq!(list.json["items"][0]["secret"]["recoverable"], false);
    assert_eq!(list.json["items"][0]["secret"]["last4"], "");
    let trail = format!("{:?}", world.audit("import.").await);
    assert!(!trail.contains("OLD_pair") && !trail.contains("Kq8v") && trail.contains("import.apply"));
    let again = import(&world, &Who::Operator, &rows, true).await.expect(200);
    assert_eq!((&again.json["refused"], &again.json["applied"]), (&json!(4), &json!(false)));
    // One of our own secrets, in use by another token: only the write itself can tell.
    let row = format!("acme,brand,Own,NEW-3,{minted},,scoped,,14,admin@acme.example,enabled,2026-01-01");
    let head = world.audit("import.").await.len();
    import(&world, &Who::Operator, &[&row], true).await.expect_code(409, "secret_taken");
    assert_eq!(world.audit("import.").await.len(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_row_refuses_all_and_every_fault_is_told_with_its_column() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    world.home("agency", "agency").await;
    world.token(&home, "Taken", json!({})).await;
    world.account("brand", "small", |account| account.token_limit = 0).await;
    let good =
        "acme,brand,Good,GOOD,Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5,,scoped,,14,admin@acme.example,enabled,2026-01-01";
    let field = |place: usize, value: &str| {
        let mut fields: Vec<&str> = good.split(',').collect();
        fields[2] = "Other";
        fields[3] = "OTHER";
        fields[4] = "another-secret-of-another-row-7";
        fields[place] = value;
        fields.join(",")
    };
    let broken = "csign_0123456789abcdefghijABCDEFGHIJ01000000";
    let cases = [
        ("account_external_id", field(0, "nobody")),
        ("account_external_id", field(0, "small")),
        ("kind", field(1, "agency")),
        ("name", field(2, "")),
        ("name", field(2, "tAKEN")),
        ("name", field(2, "GOOD")),
        ("sid", field(3, "GOOD")),
        ("sid", field(3, "not a sid")),
        ("sid", field(3, &"x".repeat(65))),
        ("secret", field(4, "")),
        ("secret", field(4, "Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5")),
        ("secret", field(4, "with space")),
        ("secret", field(4, broken)),
        ("secret", field(5, &"a".repeat(64))),
        ("secret_sha256", field(5, &"g".repeat(64)).replace("another-secret-of-another-row-7", "")),
        ("access", field(6, "all")),
        ("access", field(11, "2025-03-31")),
        ("scopes", field(7, "brand.nothing")),
        ("scopes", field(7, "agency.jobs.list")),
        ("scopes", field(7, "brand.tokens.create")),
        ("scopes", field(7, "brand.actions.list").replace("scoped", "read_only")),
        ("api_version", field(8, "99")),
        ("api_version", field(8, "")),
        ("primary_contact", field(9, "")),
        ("primary_contact", field(9, "admin@agency.example")),
        ("state", field(10, "on")),
        ("created_at", field(11, "yesterday")),
        ("created_at", field(11, "2026-07-02")),
        ("", "too,few,fields".to_owned()),
    ];
    let head = world.audit("import.").await.len();
    let mut rows = vec![good];
    rows.extend(cases.iter().map(|(_, row)| row.as_str()));
    let reply = import(&world, &Who::Operator, &rows, true).await.expect(200);
    let told: Vec<(u64, &str)> = reply.json["report"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refusal| (refusal["row"].as_u64().unwrap(), refusal["column"].as_str().unwrap()))
        .collect();
    let expected: Vec<(u64, &str)> =
        cases.iter().enumerate().map(|(index, (column, _))| (index as u64 + 2, *column)).collect();
    assert_eq!(told, expected, "{}", reply.text);
    assert_eq!((&reply.json["accepted"], &reply.json["applied"]), (&json!(1), &json!(false)));
    assert_eq!(world.audit("import.").await.len(), head);
    assert_eq!(basic(&world, "GOOD", "Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5"), "credentials_invalid");
    for secret in ["Kq8v", "another-secret", "OTHER", "GOOD\"", broken] {
        assert!(!reply.text.contains(secret), "{secret} stands in the report");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_gets_each_half_of_its_pair_once() {
    let world = World::new().await;
    world.home("brand", "acme").await;
    let legacy = |sid: &str, access: &str| {
        format!("acme,brand,Pair {sid},{sid},secret-number-{sid},,{access},,14,,enabled,2020-01-01")
    };
    let rows = [legacy("L1", "read_write"), legacy("L2", "read_only"), legacy("L3", "read_write")];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let reply = import(&world, &Who::Operator, &rows, true).await.expect(200);
    assert_eq!(reply.json["report"][0]["column"], "access", "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_is_refused_whole() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let send = async |who: &Who, kind: &str, body: Vec<u8>| {
        let request = ::http::Request::post("/api/v1/import?apply=true").header("content-type", kind);
        world.send(who, request.body(body.into()).unwrap()).await
    };
    let row = "acme,brand,A,S1,Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5,,scoped,,14,admin@acme.example,enabled,2026-01-01";
    let file = format!("{HEADER}\n{row}\n");
    send(&home.who, "text/csv", file.clone().into()).await.expect_code(403, "operators_only");
    send(&Who::Anonymous, "text/csv", file.clone().into()).await.expect(401);
    send(&Who::Operator, "application/json", file.clone().into()).await.expect_code(415, "not_csv");
    for header in [
        "",
        "name,sid",
        &HEADER.replace("sid", "SID"),
        &HEADER.replace(",secret,secret_sha256", ""),
        &format!("{HEADER},name"),
    ] {
        send(&Who::Operator, "text/csv", format!("{header}\n{row}\n").into())
            .await
            .expect_code(422, "import_header");
    }
    let mut not_text = file.clone().into_bytes();
    not_text.extend_from_slice(b"acme,brand,\xff\xfe,S2,x,,scoped,,14,a@acme.example,enabled,2026-01-01\n");
    let reply = send(&Who::Operator, "text/csv", not_text).await.expect(200);
    assert_eq!((&reply.json["refused"], &reply.json["applied"]), (&json!(1), &json!(false)));
    let reply =
        send(&Who::Operator, "text/csv; charset=utf-8", format!("\u{feff}{file}").into()).await.expect(200);
    assert_eq!(reply.json["applied"], true, "{}", reply.text);
    let mut huge = file.into_bytes();
    huge.resize(64 * 1024 * 1024 + 1, b'x');
    send(&Who::Operator, "text/csv", huge).await.expect_code(413, "import_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_show_once_only_digests_come_in() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    world.edit_account(home.account, |account| account.reveal = RevealPolicy::Once).await;
    let row = "acme,brand,A,S1,Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5,,scoped,,14,admin@acme.example,enabled,2026-01-01";
    import(&world, &Who::Operator, &[row], true).await.expect(200);
    world.edit_account(home.account, |account| account.reveal = RevealPolicy::Recoverable).await;
    let list = world.get(&home.who, &format!("/accounts/{}/tokens", home.account)).await.expect(200);
    assert_eq!(list.json["items"][0]["secret"]["recoverable"], Value::Bool(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_come_in_at_a_hundred_thousand_a_minute() {
    const ACCOUNTS: u64 = 200;
    // The other tests share the processors, so the short run has the minute for a tenth of the rows.
    let rows: u64 = if std::env::var_os("COUNTERSIGN_TEST_FULL").is_some() { 100_000 } else { 10_000 };
    let world = World::new().await;
    let mut homes: Vec<Home> = Vec::new();
    for number in 0..ACCOUNTS {
        homes.push(world.home("brand", &format!("acme{number}")).await);
    }
    let mut file = format!("{HEADER}\n");
    for row in 0..rows {
        let account = row % ACCOUNTS;
        writeln!(
            file,
            "acme{account},brand,Token {row},SID-{row},imported-secret-{row}-Kq8vZ3xW7nR2mT9p,,scoped,brand.actions.list,14,\
             admin@acme{account}.example,enabled,2026-01-01"
        )
        .unwrap();
    }
    let caller = Caller { identity: Identity::Cli, address: None, request_id: world.id() };
    let operator = Operator::prove(caller).unwrap();
    let began = tokio::time::Instant::now();
    let mut heard = Vec::new();
    let mut progress = |progress: Progress| heard.push((progress, began.elapsed()));
    let report =
        import::run(&world.app, &operator, std::io::Cursor::new(file), true, &mut progress).await.unwrap();
    let took = began.elapsed();
    let (last, checked) = heard.last().copied().unwrap();
    println!("import: {rows} rows in {took:?}, of which {checked:?} to read and check them");
    assert_eq!((report.rows, report.accepted, report.refused, report.applied), (rows, rows, 0, true));
    assert!(last == Progress::Writing(rows) && heard.len() > 10);
    let newest = rows - 1;
    let secret = format!("imported-secret-{newest}-Kq8vZ3xW7nR2mT9p");
    assert_eq!(basic(&world, &format!("SID-{newest}"), &secret), "allowed");
    assert!(took.as_secs() < 60, "{took:?}");
}
