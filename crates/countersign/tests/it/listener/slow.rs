//! T-27: connections that send nothing, or too slowly. They are closed within their limits, their descriptors come back,
//! and whoever asks meanwhile from elsewhere does not notice.

#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    sync::mpsc,
};

use super::{count, p99, process::Process};
use crate::{
    installation::{Installation, Server},
    platform::{ask_of, asking, brand_account, decide, gateway, token},
};

/// Where the slow ones come from: another address than whoever asks.
const ELSEWHERE: &str = "127.0.0.9:0";
/// Seconds until a connection without a whole header is closed: the first byte and the header have five each. The rest is
/// for a machine that is busy with other tests.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);
const ASKS: usize = 300;

/// What slow connections begin with. A byte of a header follows every second.
const BEGINNINGS: [&[u8]; 4] = [
    b"",
    b"POST /v1/verify HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    b"PRI * HTTP/2.0\r\n\r\n",
    // A header block that does not end, after whole settings.
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\xff\x01\0\0\0\0\x01\x82",
];

/// Opens a connection, sends it slowly, and answers how long it was left open.
async fn be_slow(address: SocketAddr, beginning: &'static [u8], open: mpsc::Sender<()>) -> Duration {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(ELSEWHERE.parse().unwrap()).unwrap();
    let begun = Instant::now();
    let connected = socket.connect(address).await;
    drop(open);
    // One that is turned away before it was open is closed soon enough.
    let Ok(mut stream) = connected else { return begun.elapsed() };
    let mut broken = stream.write_all(beginning).await.is_err();
    let mut answer = [0; 1024];
    while !broken {
        match tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0) | Err(_)) => break,
            Err(_) if beginning.is_empty() => {}
            Err(_) => broken = stream.write_all(b"a").await.is_err(),
        }
    }
    begun.elapsed()
}

/// Asks over connections of their own, and answers how long each took, in milliseconds.
async fn ask(server: &Server, gateway: &str, ask: &serde_json::Value) -> Vec<f64> {
    let mut times = Vec::with_capacity(ASKS);
    for _ in 0..ASKS {
        let begun = Instant::now();
        let mut client = asking(server, gateway).await;
        assert_eq!(decide(&mut client, ask).await, Ok(()));
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_connections_are_closed_in_time_and_are_in_nobodys_way() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let (gateway, token) = (gateway(&installation), token(&installation, "Reader"));
    let (process, question) = (Process::of(&server), ask_of(&token));
    ask(&server, &gateway, &question).await;
    let files = process.files();
    let before = p99(&mut ask(&server, &gateway, &question).await);

    let (open, mut all_open) = mpsc::channel::<()>(1);
    let slow = count(10_000, 3_000);
    let attack: Vec<_> = (0..slow)
        .map(|number| {
            tokio::spawn(be_slow(server.data_plane, BEGINNINGS[number % BEGINNINGS.len()], open.clone()))
        })
        .collect();
    // What is measured is a server that holds them, not one that shares its processor with whoever opens them.
    drop(open);
    assert_eq!(all_open.recv().await, None);
    let during = p99(&mut ask(&server, &gateway, &question).await);
    let mut longest = Duration::ZERO;
    for connection in attack {
        longest = longest.max(connection.await.unwrap());
    }
    let begun = Instant::now();
    while process.files() > files && begun.elapsed() < CLOSED_WITHIN {
        tokio::time::sleep(Duration::from_millis(50)).await; // poll
    }
    println!(
        "T-27: {slow} slow connections: p99 of new requests {before:.1} ms before, {during:.1} ms meanwhile; the last was \
         closed after {longest:?}; {files} files before, {} after",
        process.files()
    );
    assert!(longest < CLOSED_WITHIN, "{longest:?}");
    assert!(process.files() <= files, "{} files", process.files());
    // Twice as long is the bar. The rest is for the processor, which the slow ones, their clients and other tests share.
    assert!(during <= 2.0 * before + 50.0, "{before} ms before, {during} ms meanwhile");
}
