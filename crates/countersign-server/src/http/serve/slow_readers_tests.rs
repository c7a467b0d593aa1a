//! Peers that ask and do not read, or hardly: they are closed in time, in HTTP/1.1 and HTTP/2, and whoever merely reads
//! slowly has its whole answer.

use std::sync::mpsc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::Instant,
};

use super::{
    http2_tests::{DATA, END_HEADERS, END_STREAM, HEADERS, PING, POST, SETTINGS, frame, opening},
    tests::{LARGE_BYTES, Server, start_on, start_speaking},
    *,
};
use crate::limits::{ANSWER_BYTES_PER_SEC_MIN, ANSWER_STALL_SECS, DRAIN_SECS, IDLE_SECS};

const ACK: u8 = 1;
const WINDOW_UPDATE: u8 = 8;

/// A server whose kernel keeps little of an answer, so that it learns soon what a peer takes.
fn start_with_small_buffers() -> Server {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(32 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    start_on(socket.listen(8).unwrap(), Protocols::Both)
}

/// A connection that has room for as little as the kernel lets it.
async fn connect(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(server.address).await.unwrap()
}

/// Sends the same again and again until nobody reads it any more.
async fn fill(stream: &mut TcpStream, bytes: &[u8]) {
    let second = Duration::from_secs(1);
    while let Ok(sent) = tokio::time::timeout(second, stream.write_all(bytes)).await {
        sent.unwrap();
    }
}

/// Waits until the server has no connection any more, and answers how many seconds that took.
async fn ended(server: &Server, begun: Instant) -> u64 {
    while server.metrics.connections.get() > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await; // poll
    }
    begun.elapsed().as_secs()
}

/// Holds a paused clock, which does not move by itself while a thread works for the runtime.
fn hold_the_clock() -> mpsc::Sender<()> {
    let (held, holding) = mpsc::channel();
    tokio::task::spawn_blocking(move || holding.recv());
    held
}

/// Asks for the large answer and reads it at this rate; answers how much came of it, and in how many seconds.
async fn read_slowly(bytes_per_sec: usize) -> (usize, u64) {
    let server = start_with_small_buffers();
    let mut stream = connect(&server).await;
    let held = hold_the_clock();
    let begun = Instant::now();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let (mut came, mut piece) = (0, vec![0; 8 * bytes_per_sec]);
    loop {
        let mut filled = 0;
        while filled < piece.len() {
            let Ok(more @ 1..) = stream.read(&mut piece[filled..]).await else {
                drop(held);
                return (came + filled, begun.elapsed().as_secs());
            };
            filled += more;
        }
        came += filled;
        tokio::time::advance(Duration::from_secs(8)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_and_reads_nothing_is_closed() {
    for protocols in [Protocols::Http1, Protocols::Both] {
        let server = start_speaking(protocols).await;
        let mut stream = connect(&server).await;
        let begun = Instant::now();
        fill(&mut stream, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let took = ended(&server, begun).await;
        assert!((ANSWER_STALL_SECS..=ANSWER_STALL_SECS + 2).contains(&took), "{protocols:?}: {took} s");
        // What the peer has of the answers is all there is: the rest went with the connection.
        let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_now_and_then_gains_no_time() {
    for (name, bytes) in [
        ("many answers", "GET /x HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100_000)),
        ("one answer", "GET /large HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
    ] {
        let server = start_with_small_buffers();
        let (mut reading, mut writing) = connect(&server).await.into_split();
        let begun = Instant::now();
        let sending = tokio::spawn(async move {
            // Whoever is closed cannot send the rest.
            let _ = writing.write_all(bytes.as_bytes()).await;
            writing
        });
        reading.read_u8().await.unwrap();
        // What came before the end can be read after it as well.
        while server.metrics.connections.get() > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            reading.read_u8().await.unwrap();
        }
        let took = begun.elapsed().as_secs();
        assert!((ANSWER_STALL_SECS..=ANSWER_STALL_SECS + 3).contains(&took), "{name}: {took} s");
        drop(sending.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_has_its_answer_and_one_too_slow_has_not() {
    let least = usize::try_from(ANSWER_BYTES_PER_SEC_MIN).unwrap();
    let (came, took) = read_slowly(2 * least).await;
    assert!(came > LARGE_BYTES, "{came} bytes in {took} s");
    assert!(took > 4 * IDLE_SECS, "no other limit is in its way: {took} s");
    let (came, took) = read_slowly(least / 2).await;
    assert!(came < LARGE_BYTES / 2, "{came} bytes in {took} s");
    assert!(took < 5 * ANSWER_STALL_SECS, "{came} bytes in {took} s");
}

#[tokio::test(start_paused = true)]
async fn over_http2_whoever_reads_nothing_is_closed() {
    let server = start_speaking(Protocols::Both).await;
    let mut stream = connect(&server).await;
    let begun = Instant::now();
    let most = (i32::MAX - 65_535).to_be_bytes();
    let large = b"\x82\x86\x04\x06/large\x41\x01a";
    let mut frames =
        vec![frame(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]), frame(WINDOW_UPDATE, 0, 0, &most)];
    frames.extend((0..8).map(|number| frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, large)));
    stream.write_all(&opening(&frames)).await.unwrap();
    stream.read_u8().await.unwrap();
    let took = ended(&server, begun).await;
    assert!((ANSWER_STALL_SECS..=ANSWER_STALL_SECS + 2).contains(&took), "{took} s");
}

/// It reads what comes and says that it is there, but has no room for an answer, or for a byte of it now and then.
#[tokio::test(start_paused = true)]
async fn over_http2_a_window_that_stays_shut_ends_the_connection() {
    for (name, window) in [("shut", 0), ("a byte at a time", 1)] {
        let server = start_speaking(Protocols::Both).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let begun = Instant::now();
        let frames = [
            frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, window]),
            frame(HEADERS, END_STREAM | END_HEADERS, 1, POST),
        ];
        stream.write_all(&opening(&frames)).await.unwrap();
        let mut data = 0;
        loop {
            let mut head = [0; 9];
            if stream.read_exact(&mut head).await.is_err() {
                break;
            }
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            stream.read_exact(&mut payload).await.unwrap();
            match head[3] {
                PING if head[4] & ACK == 0 => stream.write_all(&frame(PING, ACK, 0, &payload)).await.unwrap(),
                DATA => {
                    data += payload.len();
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    // It may be closed by now.
                    let _ = stream.write_all(&frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes())).await;
                }
                _ => {}
            }
        }
        let took = ended(&server, begun).await;
        let limit = IDLE_SECS + DRAIN_SECS;
        assert!((IDLE_SECS..=limit + 1).contains(&took), "{name}: {took} s, {data} bytes");
        assert_eq!(data > 0, window > 0, "{name}: {data} bytes");
    }
}
