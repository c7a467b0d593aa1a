//! The accept loop against raw connections: what is strict, what is limited, what is drained.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use http_body_util::Full;
use hyper::service::service_fn;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use super::{seats::Seat, *};
use crate::{
    http::metrics::Metrics,
    limits::{
        BODY_READ_SECS, CONNECTIONS_PER_ADDRESS_MAX, HEADER_BYTES_MAX, HEADER_READ_SECS, HEADERS_MAX,
        IDLE_SECS,
    },
};

/// The length of the answer at `/large`.
pub(super) const LARGE_BYTES: usize = 2 * 1024 * 1024;

/// A server that answers with the path, the peer and the length of the body; `/slow` waits to be told, and the answer at
/// `/large` is.
pub(super) struct Server {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub done: JoinHandle<()>,
    pub metrics: ListenerMetrics,
    pub arrived: mpsc::Receiver<()>,
    pub go: Arc<Semaphore>,
}

async fn start() -> Server {
    start_speaking(Protocols::Both).await
}

pub(super) async fn start_speaking(protocols: Protocols) -> Server {
    start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), protocols)
}

pub(super) fn start_on(listener: TcpListener, protocols: Protocols) -> Server {
    let address = listener.local_addr().unwrap();
    let (tell, arrived) = mpsc::channel(8);
    let go = Arc::new(Semaphore::new(0));
    let wait = Arc::clone(&go);
    let service = service_fn(move |request: Request<RequestBody>| {
        let (tell, wait) = (tell.clone(), Arc::clone(&wait));
        async move {
            let (path, peer) = (request.uri().path().to_owned(), Some(request.body().peer()));
            let length =
                http_body_util::BodyExt::collect(request.into_body()).await.map(|body| body.to_bytes().len());
            if path == "/slow" {
                let _ = tell.send(()).await;
                drop(wait.acquire().await);
            }
            let mut text = format!("{path} {peer:?} {:?}\n", length.map_err(|error| error.to_string()));
            if path == "/large" {
                text = "x".repeat(LARGE_BYTES);
            }
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
        }
    });
    let (stop, metrics) = (CancellationToken::new(), Metrics::default().listener("test"));
    let done = tokio::spawn(serve(
        Listener::Tcp(listener),
        protocols,
        service,
        Seats::default(),
        metrics.clone(),
        stop.clone(),
    ));
    Server { address, stop, done, metrics, arrived, go }
}

/// Sends bytes and reads until the server closes.
pub(super) async fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of every answer on the connection, in order.
pub(super) fn statuses(text: &str) -> Vec<&str> {
    text.split("HTTP/1.").skip(1).filter_map(|answer| answer.split(' ').nth(1)).collect()
}

#[tokio::test]
async fn framing_that_two_servers_could_read_differently_is_refused() {
    let server = start().await;
    let many = "h: x\r\n".repeat(HEADERS_MAX + 1);
    let long = format!("h: {}\r\n", "x".repeat(HEADER_BYTES_MAX));
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for (name, head, expected) in [
        (
            "plain",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            vec!["200"],
        ),
        (
            "length and chunks",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            vec!["411"],
        ),
        (
            "chunks and length",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
            vec!["411"],
        ),
        ("chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", vec!["411"]),
        ("other coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", vec!["400"]),
        (
            "two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            vec!["400"],
        ),
        ("length list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nx", vec!["400"]),
        ("signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", vec!["400"]),
        ("folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", vec!["400"]),
        ("space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", vec!["400"]),
        ("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", vec!["400"]),
        ("no version", "GET /\r\n\r\n", vec!["400"]),
        ("too many lines", &format!("GET / HTTP/1.1\r\n{many}\r\n"), vec!["431"]),
        ("too long a line", &format!("GET / HTTP/1.1\r\n{long}\r\n"), vec!["431"]),
    ] {
        // What follows a refused request is never taken for a request of its own.
        let answer = exchange(&server, format!("{head}{smuggled}").as_bytes()).await;
        assert_eq!(statuses(&answer), expected, "{name}: {answer}");
        assert!(!answer.contains("/smuggled"), "{name}: {answer}");
    }
}

#[tokio::test]
async fn requests_know_their_peer_and_upgrades_are_not_made() {
    let server = start().await;
    let upgrade = "GET /up HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n\r\n";
    let answer = exchange(&server, upgrade.as_bytes()).await;
    assert_eq!(statuses(&answer), ["200"]);
    assert!(answer.ends_with("/up Some(Peer(Some(127.0.0.1))) Ok(0)\n"), "{answer}");
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_nothing_new() {
    let mut server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.arrived.recv().await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    server.stop.cancel();
    // The idle connection is closed at once; the one in flight is answered first.
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    server.go.add_permits(1);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(statuses(&String::from_utf8_lossy(&answer)), ["200"]);
    server.done.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(server.metrics.connections.get(), 0);
}

/// Under a paused clock time moves only while every task waits, so these limits are met exactly and at once.
#[tokio::test(start_paused = true)]
async fn slow_peers_are_closed_in_time() {
    let server = start().await;
    let kept = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (name, bytes, secs) in [
        ("no first byte", "", HEADER_READ_SECS),
        ("half a header", "GET / HTTP/1.1\r\nHo", HEADER_READ_SECS),
        ("idle", kept, IDLE_SECS),
        ("half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nxx", BODY_READ_SECS),
    ] {
        let begun = tokio::time::Instant::now();
        let answer = exchange(&server, bytes.as_bytes()).await;
        let took = begun.elapsed().as_secs();
        // A body that is late is told so, and then the connection has its idle time.
        let expected = if name == "half a body" { secs + IDLE_SECS } else { secs };
        assert!((secs..=expected + 1).contains(&took), "{name}: {took} s, {answer}");
        assert_eq!(answer.contains("did not come in time"), name == "half a body", "{name}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_trickles_does_not_gain_time() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut byte = [0; 1];
    loop {
        let _ = stream.write_all(b"G").await;
        if let Ok(read) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut byte)).await {
            assert!(matches!(read, Ok(0) | Err(_)));
            break;
        }
    }
    assert!(begun.elapsed().as_secs() <= HEADER_READ_SECS + 1);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let (seats, now) = (Seats::default(), Gauge::default());
    let take = async |address: &str| {
        let peer = Peer(Some(address.parse().unwrap()));
        seats.take(peer, seats.wait().await.unwrap(), &now)
    };
    // Addresses of one /64 are one.
    let mut taken: Vec<Seat> = Vec::new();
    for number in 0..CONNECTIONS_PER_ADDRESS_MAX {
        taken.push(take(&format!("2001:db8::{number:x}")).await.unwrap());
    }
    assert!(take("2001:db8::ffff:1").await.is_none());
    assert!(take("2001:db8:0:1::1").await.is_some(), "another network has its own");
    assert!(take("203.0.113.5").await.is_some());
    taken.pop();
    let again = take("2001:db8::1").await;
    assert!(again.is_some(), "a place that was given back");
    drop((taken, again));
    assert_eq!(now.get(), 0);
    assert_eq!(seats.addresses(), 0, "nobody is remembered who is gone");
}
