//! Text that means something to whoever reads a log, and bodies that are small only until they are unpacked (T-17, T-29):
//! every line of the log stays one line of JSON without a control character, and nothing is unpacked.
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    installation::{Installation, errors, text},
    platform::{PASSWORD, brand_account},
};

const ATTEMPTS_MIN: u64 = 300;
const ATTEMPTS_FULL: u64 = 100_000;

/// What readers of logs, terminals and spreadsheets trip over.
const HOSTILE: [&str; 14] = [
    "\n{\"level\":\"INFO\",\"message\":\"forged\"}",
    "\r\nforged: line",
    "\u{1b}[2J\u{1b}[31mred",
    "\u{9b}31m",
    "\u{1b}]0;title\u{7}",
    "\u{0}nothing",
    "\u{7f}\u{8}\u{8}",
    "\u{202e}backwards",
    "\u{2028}line\u{2029}paragraph",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\\u000a\\n%0a%0d",
    "\"}\u{85}{\"",
    "{}{:?}$(id)`id`",
];

fn send(address: SocketAddr, bytes: &[u8]) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    if stream.write_all(bytes).is_ok() {
        let _ = stream.take(1 << 20).read_to_end(&mut Vec::new());
    }
}

/// The text in one of the places a caller fills in.
fn attempt(turn: u64, hostile: &str) -> Vec<u8> {
    let json = serde_json::to_string(hostile).unwrap();
    let escaped: String = hostile.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"));
    let head = |line: &str, more: &str, body: &str| {
        let fetch = "sec-fetch-site: same-origin\r\ncontent-type: application/json\r\nconnection: close";
        let length = body.len();
        format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\n{fetch}\r\ncontent-length: {length}\r\n{more}\r\n{body}"
        )
    };
    let request = match turn % 7 {
        0 => head("POST /api/v1/session", "", &format!("{{\"email\":{json},\"password\":{json}}}")),
        1 => head(&format!("GET /api/v1/audit?action={escaped}"), "", ""),
        2 => head(&format!("GET /{escaped}"), "", ""),
        3 => head("GET /api/v1/session", &format!("user-agent: {hostile}\r\n"), ""),
        4 => head("GET /whoami", &format!("authorization: Bearer {hostile}\r\n"), ""),
        5 => head("POST /api/v1/invitations/accept", "", &format!("{{\"code\":{json}}}")),
        _ => head(&format!("{hostile} /v1/verify"), &format!("x-forwarded-for: {hostile}\r\n"), &json),
    };
    request.into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_is_one_line_of_the_log() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    // Until there is an operator, a note for people stands between the lines of the log.
    let code = std::fs::read_to_string(installation.path("data/bootstrap-code")).unwrap();
    let first =
        json!({ "code": code.trim(), "email": "first@example.com", "name": "First", "password": PASSWORD });
    let mut browser = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
    let made = browser.ask(Method::POST, "/api/v1/bootstrap", Some(&first)).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    drop(server);
    let server = installation.serve_with(&["--log-level", "debug"]);
    let full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
    let seconds = std::env::var("COUNTERSIGN_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    let (started, budget) = (Instant::now(), Duration::from_secs(seconds.unwrap_or(2)));
    let (mut turn, mut state) = (0, 17_u64);
    while turn < ATTEMPTS_FULL && (full || turn < ATTEMPTS_MIN || started.elapsed() < budget) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let words: Vec<&str> = (0..3)
            .map(|word| HOSTILE[usize::try_from(state >> (8 + 16 * word)).unwrap() % HOSTILE.len()])
            .collect();
        let bytes = attempt(turn, &words.concat());
        send(if turn % 7 == 4 || turn % 7 == 6 { server.data_plane } else { server.management }, &bytes);
        turn += 1;
    }
    let (status, log) = server.terminate();
    assert!(status.success());
    for line in &log {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert!(parsed["level"].is_string(), "{line:?}");
        assert_ne!(parsed["message"], "forged", "{line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    let shown = installation.run(&["audit", "export"]);
    assert!(shown.status.success(), "{}", errors(&shown));
    for line in text(&shown).lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert!(parsed["number"].is_u64() && !line.chars().any(char::is_control), "{line:?}");
    }
    println!("T-17: {turn} attempts, {} lines of the log, each one line of JSON", log.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_unpacked() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let packed = Command::new("sh")
        .args(["-c", "head -c 1G /dev/zero | gzip -9"])
        .stdout(Stdio::piped())
        .output()
        .unwrap()
        .stdout;
    assert!((500_000..2_000_000).contains(&packed.len()), "a gigabyte is {} bytes", packed.len());
    let credential = crate::platform::platform_credential(&installation);
    for (path, media) in [
        ("/api/v1/import?apply=false", "text/csv"),
        ("/api/v1/catalog/check", "application/json"),
        ("/api/v1/accounts", "application/json"),
    ] {
        let mut stream = TcpStream::connect(server.management).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {credential}\r\n\
             content-type: {media}\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            packed.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // It may answer and close before it was sent everything.
        let _ = stream.write_all(&packed);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 415") && answer.contains("body_packed"), "{path}: {answer}");
    }
}
