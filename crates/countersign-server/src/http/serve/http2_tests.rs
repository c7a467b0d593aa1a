//! HTTP/2 beside HTTP/1.1 on one listener: which is spoken, what is limited, what is drained; with a real client, and with
//! raw frames where a client would not do what is tried.

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

use super::{
    frames::PREFACE,
    tests::{Server, exchange, start_speaking},
    *,
};
use crate::limits::{
    BODY_READ_SECS, HEADER_READ_SECS, HEADERS_MAX, HTTP2_AGE_SECS_MAX, HTTP2_FRAMES_AHEAD_MAX,
    HTTP2_PING_SECS, HTTP2_PONG_SECS, IDLE_SECS,
};

type Client = SendRequest<Full<Bytes>>;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
/// `GET /slow` and `POST /` in HPACK without a table: indexed fields and literals.
const GET_SLOW: &[u8] = b"\x82\x86\x04\x05/slow\x41\x01a";
pub(super) const POST: &[u8] = b"\x83\x86\x84\x41\x01a";

async fn connect(server: &Server) -> (Client, JoinHandle<hyper::Result<()>>) {
    let stream = TcpStream::connect(server.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let protocol = http2::Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).clone();
    let (client, connection) = protocol.handshake(TokioIo::new(stream)).await.unwrap();
    (client, tokio::spawn(connection))
}

async fn ask(client: &mut Client, path: &str) -> (u16, String) {
    let request =
        Request::post(format!("http://a{path}")).body(Full::new(Bytes::from_static(b"four"))).unwrap();
    finish(client.send_request(request).await.unwrap()).await
}

async fn finish(answer: Response<hyper::body::Incoming>) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a client says first, and these frames after it.
pub(super) fn opening(frames: &[Vec<u8>]) -> Vec<u8> {
    [PREFACE.as_slice(), &frame(SETTINGS, 0, 0, &[]), &frames.concat()].concat()
}

/// Writes bytes, reads until the server closes, and tells the kinds of the frames that came.
async fn converse(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let bytes = bytes.to_vec();
    let writing = tokio::spawn(async move {
        // Whoever closes need not read everything first.
        let _ = write.write_all(&bytes).await;
        write
    });
    let mut answer = Vec::new();
    let _ = read.read_to_end(&mut answer).await;
    drop(writing.await.unwrap());
    let (mut kinds, mut rest) = (Vec::new(), answer.as_slice());
    while let [high, middle, low, kind, ..] = rest {
        kinds.push(*kind);
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test]
async fn one_listener_speaks_both() {
    let server = start_speaking(Protocols::Both).await;
    let (mut client, _connection) = connect(&server).await;
    let expected = "/over-2 Some(Peer(Some(127.0.0.1))) Ok(4)\n";
    assert_eq!(ask(&mut client, "/over-2").await, (200, expected.to_owned()));
    let first = exchange(
        &server,
        b"POST /over-1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    assert!(first.await.contains("/over-1 "));
    let mut many = Request::get("http://a/many").body(Full::default()).unwrap();
    for number in 0..=HEADERS_MAX {
        many.headers_mut()
            .insert(hyper::header::HeaderName::try_from(format!("h{number}")).unwrap(), 1.into());
    }
    let (status, body) = finish(client.send_request(many).await.unwrap()).await;
    assert_eq!(status, 431, "{body}");
    assert!(body.contains("header_too_large"), "{body}");
}

#[tokio::test]
async fn where_it_is_switched_off_http2_is_not_understood() {
    let server = start_speaking(Protocols::Http1).await;
    assert_eq!(exchange(&server, PREFACE).await, "", "closed without a word");
}

/// Under a paused clock time moves only while every task waits, so these limits are met exactly and at once.
#[tokio::test(start_paused = true)]
async fn slow_peers_are_closed_in_time() {
    let server = start_speaking(Protocols::Both).await;
    let silent = HTTP2_PING_SECS + HTTP2_PONG_SECS;
    for (name, bytes, secs) in [
        ("half a preface", PREFACE[..20].to_vec(), HEADER_READ_SECS),
        ("a preface and no answer to a ping", opening(&[]), silent),
        ("half a header frame", opening(&[frame(HEADERS, 5, 1, POST)[..12].to_vec()]), HEADER_READ_SECS),
        ("a header that does not end", opening(&[frame(HEADERS, 0, 1, POST)]), HEADER_READ_SECS),
    ] {
        let begun = tokio::time::Instant::now();
        converse(&server, &bytes).await;
        let took = begun.elapsed().as_secs();
        assert!((secs..=secs + 1).contains(&took), "{name}: {took} s");
    }
    assert_eq!(server.metrics.connections.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_late_is_told_so() {
    let server = start_speaking(Protocols::Both).await;
    let begun = tokio::time::Instant::now();
    let half = [frame(HEADERS, END_HEADERS, 1, POST), frame(DATA, 0, 1, b"half")];
    let kinds = converse(&server, &opening(&half)).await;
    assert!(kinds.contains(&DATA) && kinds.contains(&RST_STREAM), "{kinds:?}");
    let limit = HTTP2_PING_SECS + HTTP2_PONG_SECS;
    assert!((BODY_READ_SECS..=limit + 1).contains(&begun.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn idle_and_old_connections_are_told_to_end() {
    let server = start_speaking(Protocols::Both).await;
    let (mut client, connection) = connect(&server).await;
    ask(&mut client, "/").await;
    let begun = tokio::time::Instant::now();
    connection.await.unwrap().unwrap();
    let took = begun.elapsed().as_secs();
    assert!((IDLE_SECS..=IDLE_SECS + 1).contains(&took), "{took} s");

    let (mut client, connection) = connect(&server).await;
    let begun = tokio::time::Instant::now();
    while !connection.is_finished() {
        // A client that is refused because of the end asks on a new connection.
        let request = Request::get("http://a/").body(Full::default()).unwrap();
        let _ = client.send_request(request).await;
        tokio::time::sleep(Duration::from_secs(IDLE_SECS / 2)).await;
    }
    let took = begun.elapsed().as_secs();
    assert!((HTTP2_AGE_SECS_MAX..=HTTP2_AGE_SECS_MAX + IDLE_SECS).contains(&took), "{took} s");
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight() {
    let mut server = start_speaking(Protocols::Both).await;
    let (mut client, connection) = connect(&server).await;
    let (mut idle, idle_connection) = connect(&server).await;
    ask(&mut idle, "/").await;
    let mut asking = client.clone();
    let answer = tokio::spawn(async move { ask(&mut asking, "/slow").await });
    server.arrived.recv().await.unwrap();
    server.stop.cancel();
    idle_connection.await.unwrap().unwrap();
    server.go.add_permits(1);
    assert_eq!(answer.await.unwrap().0, 200);
    connection.await.unwrap().unwrap();
    server.done.await.unwrap();
    assert_eq!(server.metrics.connections.get(), 0);
    let request = Request::get("http://a/").body(Full::default()).unwrap();
    client.send_request(request).await.unwrap_err();
}

#[tokio::test]
async fn whoever_floods_is_told_to_go_and_whoever_asks_is_not() {
    let server = start_speaking(Protocols::Both).await;
    let times = usize::try_from(HTTP2_FRAMES_AHEAD_MAX).unwrap() * 2;
    let numbered = |number: usize| u32::try_from(2 * number + 1).unwrap();
    let rapid_reset = |number| {
        let stream = numbered(number);
        [
            frame(HEADERS, END_STREAM | END_HEADERS, stream, GET_SLOW),
            frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]),
        ]
        .concat()
    };
    for (name, frames) in [
        ("pings", vec![frame(PING, 0, 0, &[0; 8]); times]),
        ("settings", vec![frame(SETTINGS, 0, 0, &[]); times]),
        ("unknown frames", vec![frame(0x77, 0, 0, &[]); times]),
        ("rapid resets", (0..times).map(rapid_reset).collect()),
    ] {
        let kinds = converse(&server, &opening(&frames)).await;
        assert!(kinds.contains(&GOAWAY), "{name}: {} frames came, the last {:?}", kinds.len(), kinds.last());
    }
    let (mut client, _connection) = connect(&server).await;
    for _ in 0..times {
        assert_eq!(ask(&mut client, "/").await.0, 200);
    }
}
