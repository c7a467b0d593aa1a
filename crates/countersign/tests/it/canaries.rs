//! T-18, secrets where they do not belong: canary secrets go through every route and every way to fail, and then nothing
//! the server wrote (its log, its database, the log of that, its metrics, its answers) holds one of them.
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_model::secret::SecretFormat;
use serde_json::Value;

use crate::{
    installation::{Installation, Server},
    platform::{brand_account, gateway, token},
};

/// Requests of the full count.
const FULL_COUNT: u64 = 100_000;
const SECONDS: u64 = 20;

/// Canaries in our own form, each another one.
struct Canaries(u64);

impl Canaries {
    fn next(&mut self) -> String {
        self.0 += 1;
        let mut state = self.0;
        let mut fill = |buffer: &mut [u8]| {
            for byte in buffer {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = u8::try_from(state >> 56).unwrap();
            }
        };
        SecretFormat::standard().mint(&mut fill).expose().to_owned()
    }
}

/// Sends a request as bytes and reads whatever comes back.
fn raw(address: SocketAddr, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = Vec::new();
    // A server that closes early is one of the ways to fail.
    if stream.write_all(request.as_bytes()).is_ok() {
        let _ = stream.read_to_end(&mut answer);
    }
    answer
}

fn request(method: &str, path: &str, headers: &[String], body: &str) -> String {
    let headers = headers.iter().fold(String::new(), |all, header| all + header + "\r\n");
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// The operations of the management API.
fn operations() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

/// The ways a secret is brought where it does not belong, or belongs and fails.
fn attempt(turn: u64, method: &str, path: &str, canary: &str) -> String {
    let filled = path.replace("{sid}", canary).replace("{name}", "edge");
    let filled = filled.split('{').enumerate().map(|(index, part)| match index {
        0 => part.to_owned(),
        _ => format!("{canary}{}", part.split_once('}').map_or("", |(_, rest)| rest)),
    });
    let filled: String = filled.collect();
    let bearer = format!("authorization: Bearer {canary}");
    let basic = format!("authorization: Basic {}", STANDARD.encode(format!("BR1:{canary}")));
    let json = "content-type: application/json".to_owned();
    match turn % 9 {
        0 => request(method, &filled, &[bearer, json], "{}"),
        1 => request(method, &filled, &[basic], ""),
        2 => request(method, &format!("{filled}?token={canary}"), &[json], "{}"),
        3 => request(method, &filled, &[format!("cookie: __Host-countersign={canary}")], ""),
        4 => request(method, &filled, &[bearer, json], &format!("{{\"{canary}\": \"{canary}\"}}")),
        5 => request(method, &filled, &[json], &format!("{{\"secret\": \"{canary}\", ")),
        6 => request(method, &filled, &[bearer.clone(), bearer], canary),
        7 => request(method, &filled, &[format!("x-countersign-gateway: {canary}"), json], "[]"),
        _ => format!("{method} {filled}\r\n{canary}\r\n\r\n"),
    }
}

/// What the doors of the data plane are asked, with a gateway that is known.
fn asked(turn: u64, gateway: &str, canary: &str) -> String {
    let known = format!("x-countersign-gateway: {gateway}");
    let json = "content-type: application/json".to_owned();
    let bearer = format!("Bearer {canary}");
    match turn % 6 {
        0 => request(
            "POST",
            "/v1/verify",
            &[known, json],
            &format!("{{\"authorization\": \"{bearer}\", \"method\": \"GET\", \"uri\": \"/x\"}}"),
        ),
        1 => request(
            "POST",
            "/v1/verify",
            &[known, json],
            &format!(
                "{{\"authorization\": \"{bearer}\", \"method\": \"GET\", \"uri\": \"/x?token={canary}\"}}"
            ),
        ),
        2 => request("POST", "/v1/verify", &[known, json], &format!("{{\"{canary}\": 1}}")),
        3 => request(
            "GET",
            "/v1/forward-auth/tests",
            &[
                known,
                format!("authorization: {bearer}"),
                "x-original-method: GET".to_owned(),
                format!("x-original-uri: /Advertisers/{canary}/Ads?key={canary}"),
            ],
            "",
        ),
        4 => request("GET", &format!("/whoami?secret={canary}"), &[format!("authorization: {bearer}")], ""),
        _ => request(
            "GET",
            "/whoami",
            &[format!("authorization: {bearer}"), format!("authorization: {bearer}")],
            "",
        ),
    }
}

fn read_all(directory: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else if let Ok(bytes) = fs::read(&path) {
            into.extend(bytes);
        }
    }
}

/// The random part of every word in our form, wherever in these bytes it stands.
fn words_of_our_form(bytes: &[u8]) -> BTreeSet<&[u8]> {
    let starts = memchr::memmem::find_iter(bytes, b"csign_");
    starts.filter_map(|start| bytes.get(start..start + 44)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_written_anywhere() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let real = token(&installation, "Real");
    let full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
    let (operations, mut canaries, started) = (operations(), Canaries(0), Instant::now());
    let mut sent: BTreeSet<String> = BTreeSet::from([real.secret.clone()]);
    let mut turn = 0;
    while turn < FULL_COUNT && (full || turn < 1_000 || started.elapsed() < Duration::from_secs(SECONDS)) {
        let canary = canaries.next();
        let (method, path) = &operations[usize::try_from(turn).unwrap() % operations.len()];
        raw(server.management, &attempt(turn / operations.len() as u64, method, path, &canary));
        raw(server.data_plane, &asked(turn, &gateway, &canary));
        sent.insert(canary);
        turn += 1;
    }
    // The right secret, too: where it is allowed and where it is refused for another reason.
    for turn in 0..12 {
        raw(server.data_plane, &asked(turn, &gateway, &real.secret));
    }
    let metrics = raw(server.health, &request("GET", "/metrics", &[], ""));
    no_core(&server);
    let (status, log) = server.terminate();
    assert!(status.success());
    let mut written = log.join("\n").into_bytes();
    let lines = log.len();
    written.extend(metrics);
    read_all(&installation.path("data"), &mut written);
    let hits: Vec<_> = words_of_our_form(&written)
        .into_iter()
        .filter(|word| std::str::from_utf8(word).is_ok_and(|word| sent.contains(word)))
        .collect();
    let shown: Vec<_> = hits.iter().take(3).map(|hit| context(&written, hit)).collect();
    assert!(hits.is_empty(), "{} of {} canaries were written, such as {shown:#?}", hits.len(), sent.len());
    // In other spellings a sample is looked for: each is a search of its own.
    for canary in sent.iter().step_by((sent.len() / 50).max(1)) {
        let hex = canary.bytes().fold(String::new(), |all, byte| format!("{all}{byte:02x}"));
        let coded = STANDARD.encode(format!("BR1:{canary}"));
        let percent = canary.replace('_', "%5F");
        for form in [hex.as_str(), &coded, &percent, &canary[6..38]] {
            assert!(memchr::memmem::find(&written, form.as_bytes()).is_none(), "{form}");
        }
    }
    println!(
        "{} canaries in {turn} turns of {} operations; {lines} lines of log, {} bytes looked at: none",
        sent.len(),
        operations.len(),
        written.len()
    );
}

fn context(bytes: &[u8], word: &[u8]) -> String {
    let start = memchr::memmem::find(bytes, word).unwrap_or_default();
    String::from_utf8_lossy(&bytes[start.saturating_sub(200)..(start + 60).min(bytes.len())]).into_owned()
}

/// The system writes no core file of this process.
fn no_core(server: &Server) {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{line}");
}
