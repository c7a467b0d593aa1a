//! A relay of bytes that remembers what it passed on and can be stopped, hung, reset or made to say something else: in
//! front of the data plane it is a Countersign that fails, in front of a back end it sees the exact bytes that arrive.
//! It understands nothing of what it passes on.

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpListener as Held},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign_server::http::grpc;
use hyper::{Response, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{client, gateways::place};

/// How late a slow answer is: beyond every time limit of the recipes.
pub const SLOW: Duration = Duration::from_secs(5);
/// Bytes that are remembered; what comes after them is passed on and forgotten.
const REMEMBERED_MAX: usize = 64 * 1024 * 1024;

/// What it does with what comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Passes it on, and the answer back.
    Passes,
    /// Does not listen, and ends every connection.
    Stopped,
    /// Reads and never answers.
    Hangs,
    /// Resets the connection.
    Resets,
    /// Closes the connection without a word.
    Closes,
    /// Says these bytes and closes.
    Says(&'static str),
    /// Says these bytes and nothing more, and keeps the connection.
    SaysAndHangs(&'static str),
    /// Passes the answer back too late.
    Slow,
    /// On new connections, allows everything over gRPC, but says nothing of who calls.
    AllowsNobody,
}

/// A running relay; ended with the runtime it was started in.
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    mode: watch::Sender<Mode>,
    applied: watch::Receiver<Mode>,
    shared: Arc<Shared>,
    _place: Held,
}

struct Shared {
    to: SocketAddr,
    passed: Mutex<Vec<u8>>,
    connections: AtomicUsize,
    answers: AtomicUsize,
}

impl Relay {
    /// Starts one that passes everything on.
    pub async fn start(to: SocketAddr) -> Self {
        let (held, at) = place();
        let address = at(1);
        let (mode, modes) = watch::channel(Mode::Passes);
        let (apply, mut applied) = watch::channel(Mode::Stopped);
        let shared = Arc::new(Shared {
            to,
            passed: Mutex::default(),
            connections: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
        });
        tokio::spawn(listen(address, Arc::clone(&shared), modes, apply));
        applied.wait_for(|mode| *mode == Mode::Passes).await.unwrap();
        Self { address, mode, applied, shared, _place: held }
    }

    /// Does something else from now on.
    pub async fn set(&self, mode: Mode) {
        self.mode.send_replace(mode.clone());
        self.applied.clone().wait_for(|applied| *applied == mode).await.unwrap();
    }

    /// The bytes it passed on since this was last asked.
    pub fn take_passed(&self) -> Vec<u8> {
        std::mem::take(&mut *self.shared.passed.lock().unwrap())
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many whole requests the other side answered over HTTP/1: what it saw, whatever was meant.
    pub fn answers(&self) -> usize {
        self.shared.answers.load(Ordering::Relaxed)
    }
}

async fn listen(
    address: SocketAddr,
    shared: Arc<Shared>,
    mut modes: watch::Receiver<Mode>,
    apply: watch::Sender<Mode>,
) {
    loop {
        let mode = modes.borrow_and_update().clone();
        if mode == Mode::Stopped {
            apply.send_replace(mode);
            if modes.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = TcpListener::bind(address).await.unwrap();
        apply.send_replace(mode);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    if *modes.borrow() == Mode::AllowsNobody {
                        tokio::spawn(allow(stream, modes.clone()));
                    } else {
                        tokio::spawn(pass(stream, Arc::clone(&shared), modes.clone()));
                    }
                }
                changed = modes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let mode = modes.borrow_and_update().clone();
                    if mode == Mode::Stopped {
                        break;
                    }
                    apply.send_replace(mode);
                }
            }
        }
    }
}

/// Answers every call over gRPC with an allow that says nothing.
async fn allow(stream: TcpStream, mut modes: watch::Receiver<Mode>) {
    let answer = service_fn(async |call| Ok::<_, Infallible>(grpc::say(call, Response::default()).await));
    let protocol = http2::Builder::new(TokioExecutor::new());
    tokio::select! {
        _ = protocol.serve_connection(TokioIo::new(stream), answer) => {}
        () = stopped(&mut modes) => {}
    }
}

/// One connection, for as long as both sides want it.
async fn pass(mut stream: TcpStream, shared: Arc<Shared>, mut modes: watch::Receiver<Mode>) {
    let _ = stream.set_nodelay(true);
    let now = modes.clone();
    let mut server: Option<TcpStream> = None;
    let (mut question, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = stream.read(&mut question) => {
                let Ok(length @ 1..) = read else { return };
                let mode = now.borrow().clone();
                match mode {
                    Mode::Stopped | Mode::Closes => return,
                    Mode::Resets => {
                        let _ = stream.set_zero_linger();
                        return;
                    }
                    Mode::Says(bytes) => {
                        let _ = stream.write_all(bytes.as_bytes()).await;
                        return;
                    }
                    Mode::SaysAndHangs(bytes) => {
                        let _ = stream.write_all(bytes.as_bytes()).await;
                        continue;
                    }
                    Mode::Hangs => continue,
                    Mode::Slow => {
                        let _ = tokio::time::timeout(SLOW, stopped(&mut modes)).await;
                    }
                    Mode::Passes | Mode::AllowsNobody => {}
                }
                remember(&shared, &question[..length]);
                let server = match &mut server {
                    Some(server) => server,
                    none => {
                        let Ok(made) = TcpStream::connect(shared.to).await else { return };
                        let _ = made.set_nodelay(true);
                        none.insert(made)
                    }
                };
                if server.write_all(&question[..length]).await.is_err() {
                    return;
                }
            }
            read = read_some(&mut server, &mut answer) => {
                let Ok(length @ 1..) = read else { return };
                let statuses = client::statuses(&String::from_utf8_lossy(&answer[..length]));
                shared.answers.fetch_add(statuses.len(), Ordering::Relaxed);
                if stream.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
            () = stopped(&mut modes) => return,
        }
    }
}

async fn stopped(modes: &mut watch::Receiver<Mode>) {
    let _ = modes.wait_for(|mode| *mode == Mode::Stopped).await;
}

async fn read_some(server: &mut Option<TcpStream>, answer: &mut [u8]) -> std::io::Result<usize> {
    match server {
        Some(server) => server.read(answer).await,
        None => std::future::pending().await,
    }
}

fn remember(shared: &Shared, bytes: &[u8]) {
    let mut passed = shared.passed.lock().unwrap();
    if passed.len() + bytes.len() <= REMEMBERED_MAX {
        passed.extend_from_slice(bytes);
    }
}
