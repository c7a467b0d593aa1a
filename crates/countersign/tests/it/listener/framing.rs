//! T-23, request smuggling, asked of the data plane directly: requests whose end could be seen in two places, lines that are
//! no lines, and ways out of HTTP/1.1. Each is refused or its connection closed; what hides behind its end is never
//! answered. What gateways make of the same is tested with gateways.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::installation::Installation;

/// How long a connection may stay open that nobody sends to: longer than a header may take.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);

/// What hides: a request that would be answered with the list of keys.
const HIDDEN: &str = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n";
/// What only its answer holds.
const SHOWN: &str = "\"keys\"";

fn codings() -> Vec<String> {
    let words = [
        "chunked",
        "Chunked",
        "CHUNKED",
        "xchunked",
        "chunked, identity",
        "identity, chunked",
        "identity",
        "gzip, chunked",
        "chunked, chunked",
        "chunked;q=1",
        "\"chunked\"",
        "chunk",
        "",
        "chunked\r\n identity",
        "\u{b}chunked",
        "chunked\u{b}",
        "\tchunked",
        "chunked ",
        "chunked\0",
        "x\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\rContent-Length: 0",
        "deflate",
        "chunked,",
        ",chunked",
    ];
    words.map(str::to_owned).to_vec()
}

fn lengths() -> [&'static str; 14] {
    [
        "",
        "Content-Length: 4\r\n",
        "Content-Length: 0\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: 4,5\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4 4\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 4\r\nContent-Length: 0\r\n",
        "Content-Length : 4\r\n",
        "Content-Length: \r\n",
        "Content-Length: four\r\n",
    ]
}

/// Requests that must be refused or cut off, each with something hidden behind it.
fn corpus() -> Vec<String> {
    let head = |fields: &str| format!("POST /v1/verify HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let mut all = Vec::new();
    for coding in codings() {
        for length in lengths() {
            all.push(head(&format!("Transfer-Encoding: {coding}\r\n{length}")) + "0\r\n\r\n");
        }
    }
    all.extend(lengths()[3..].iter().map(|length| head(length) + "abcd"));
    for size in
        ["0x0", "0;a=\n", "-0", "+0", "00000000000000000000", "0 ", "g", "0\r", "ffffffffffffffff1", "\n0"]
    {
        all.push(head("Transfer-Encoding: chunked\r\n") + size + "\r\n\r\n");
    }
    for line in [
        " folded: yes\r\n",
        "A: b\r\n folded\r\n",
        "A: b\r\n\tfolded\r\n",
        "A : b\r\n",
        ": b\r\n",
        "A\r\n",
        "A: b\0\r\n",
        "A: b\rc: d\r\n",
        "A\0: b\r\n",
        "\u{b}A: b\r\n",
        "A(b): c\r\n",
        "A: \u{7f}\r\n",
    ] {
        all.push(head(line));
        all.push(head(&format!("{line}Content-Length: 0\r\n")));
    }
    for first in [
        "POST /v1/verify HTTP/1.1 HTTP/1.1",
        "POST  /v1/verify HTTP/1.1",
        "POST /v1/verify",
        "POST /v1/verify HTTP/1.2",
        "POST /v1/verify HTTP/9.1",
        "POST /v1/verify http/1.1",
        "PO ST /v1/verify HTTP/1.1",
        "POST /v1/ver ify HTTP/1.1",
        "POST\t/v1/verify\tHTTP/1.1",
        "POST /v1/verify HTTP/1.1 ",
        "\u{b}POST /v1/verify HTTP/1.1",
        "POST /v1/verify HTTP/1.1\0",
    ] {
        all.push(format!("{first}\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
    }
    all
}

/// Sends everything at once and reads until the server closes.
async fn exchange(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses may close while it is still being told.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut answer = Vec::new();
    match tokio::time::timeout(CLOSED_WITHIN, stream.read_to_end(&mut answer)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{bytes:?}"),
        Err(late) => panic!("the connection stays open after {bytes:?}: {late}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hides_behind_the_end_of_a_request_is_never_answered() {
    let installation = Installation::empty();
    let server = installation.serve();
    let close = HIDDEN.replace("Host: a", "Host: a\r\nConnection: close");
    let honest = exchange(server.data_plane, &format!("{HIDDEN}{close}")).await;
    assert_eq!(honest.matches(SHOWN).count(), 2, "two honest requests have two answers: {honest}");

    let corpus = corpus();
    assert!(corpus.len() >= 300, "{}", corpus.len());
    let mut refused = 0;
    for request in &corpus {
        let answer = exchange(server.data_plane, &format!("{request}{HIDDEN}")).await;
        assert!(!answer.contains(SHOWN), "{request:?} was answered with what hid behind it: {answer}");
        let statuses: Vec<&str> =
            answer.match_indices("HTTP/1.1 ").map(|(place, _)| &answer[place + 9..place + 12]).collect();
        assert!(
            matches!(statuses[..], [] | ["400" | "411" | "431" | "505"]),
            "{request:?} has the answers {statuses:?}"
        );
        refused += usize::from(!statuses.is_empty());
    }
    println!("T-23: {} requests, {refused} refused and the others cut off", corpus.len());
}

/// No way out of the protocol: an upgrade that is asked for is no upgrade.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_upgraded() {
    let installation = Installation::empty();
    let server = installation.serve();
    for fields in [
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Upgrade: TLS/1.2\r\nConnection: Upgrade, close\r\n",
    ] {
        let request = format!("GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let answer = exchange(server.data_plane, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{fields:?}: {answer}");
    }
    let connect =
        exchange(server.data_plane, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(connect.starts_with("HTTP/1.1 4"), "{connect}");
}
