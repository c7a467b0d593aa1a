//! A server that listens, as the binary starts it, and connections that send it bytes.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use countersign_server::run::{Listeners, run};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::World;

/// Longest wait for an answer. Nothing here waits so long unless it is lost.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A world that answers on ports of its own.
pub struct Live {
    pub world: World,
    pub management: SocketAddr,
    pub data_plane: SocketAddr,
    _running: JoinHandle<()>,
    _stop: DropGuard,
}

impl Live {
    pub async fn start(world: World) -> Self {
        let bind = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (management, data_plane, health) = (bind().await, bind().await, bind().await);
        let addresses = (management.local_addr().unwrap(), data_plane.local_addr().unwrap());
        let stop = CancellationToken::new();
        let data_plane = vec![data_plane.into_std().unwrap()];
        let listeners = Listeners { management, data_plane, health, socket: None };
        let serving = run(Arc::clone(&world.app), listeners, stop.clone());
        let running = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            world,
            management: addresses.0,
            data_plane: addresses.1,
            _running: running,
            _stop: stop.drop_guard(),
        }
    }

    /// A gateway's credential.
    pub async fn gateway(&self, name: &str) -> String {
        let new = serde_json::json!({ "name": name });
        let answer = self.world.operator.post("/api/v1/gateways", new).await.expect(201);
        answer.json()["credential"].as_str().unwrap().to_owned()
    }
}

/// A connection that is kept.
pub struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back: everything up to the body, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    pub head: String,
    pub body: String,
}

impl Line {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(ANSWER_WAIT)).unwrap();
        Self { stream, buffer: vec![0; 64 * 1024] }
    }

    /// Sends a request and waits until its answer is there whole.
    pub fn ask(&mut self, request: &[u8]) -> Raw {
        self.stream.write_all(request).unwrap();
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).unwrap();
            assert!(read > 0, "the connection was closed: {}", String::from_utf8_lossy(request));
            filled += read;
            if let Some(raw) = whole(&self.buffer[..filled]) {
                return raw;
            }
        }
    }
}

fn whole(bytes: &[u8]) -> Option<Raw> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let body = bytes.get(end + 4..end + 4 + length)?;
    Some(Raw { head: head.to_owned(), body: String::from_utf8(body.to_vec()).unwrap() })
}

impl Raw {
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The answer without what is of this request alone: its id, and the date.
    pub fn told(&self) -> (Vec<String>, String) {
        let is_own = |line: &&str| line.starts_with("x-request-id: ") || line.starts_with("date: ");
        let head: Vec<String> = self.head.lines().filter(|line| !is_own(line)).map(str::to_owned).collect();
        let id = self.head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        (head, self.body.replace(id, "req_"))
    }
}

/// A request with a JSON body.
pub fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let length = body.len().to_string();
    let own = [("Content-Type", "application/json"), ("Content-Length", &length)];
    let head = head("POST", path, &[headers, &own].concat());
    format!("{head}{body}").into_bytes()
}

/// A request without a body.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    head("GET", path, headers).into_bytes()
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Host: localhost".to_owned()];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.join("\r\n") + "\r\n\r\n"
}
