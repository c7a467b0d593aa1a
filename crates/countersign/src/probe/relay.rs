//! A relay in front of the real data plane, which a probe stops, slows and breaks: to the gateway it is Countersign on a
//! bad day. While nothing is broken it passes bytes on and reads none of them.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

use crate::failure::Failure;

/// Most connections at once; a gateway keeps a few dozen.
const CONNECTIONS_MAX: usize = 512;
/// How long a connection waits for a question before it is given up.
const QUESTION_WITHIN: Duration = Duration::from_mins(1);
/// How long the real data plane may take to accept a connection.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// Longest question that is read, in bytes.
const QUESTION_BYTES_MAX: usize = 32 * 1024;
/// What every HTTP/2 connection begins with (RFC 9113, section 3.4), as far as it tells it from HTTP/1.1.
const HTTP2_BEGINS: &[u8] = b"PRI * HTTP/2";

/// What the relay does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Passes it to the real data plane.
    Passes,
    /// Is not there: connections are refused.
    Stopped,
    /// Takes the question and never answers.
    Hangs,
    /// Takes connections and closes them at once.
    Closes,
    /// Takes the question and resets the connection.
    Resets,
    /// Answers these bytes, whatever was asked, and closes.
    Says(&'static str),
    /// Says this much of an answer and then nothing more.
    Breaks(&'static str),
    /// Passes the question on and keeps the real answer back this long.
    Holds(Duration),
}

/// The relay; it ends when dropped.
pub struct Relay {
    orders: mpsc::Sender<(Behaviour, oneshot::Sender<io::Result<()>>)>,
    seen: Arc<Seen>,
    _task: JoinSet<()>,
}

/// What came by.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    http2: AtomicBool,
}

impl Relay {
    /// Listens in front of this data plane.
    pub async fn listen(address: SocketAddr, data_plane: String) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await.map_err(|cause| {
            Failure::unavailable(format!("cannot listen on {address}: {cause}; choose another with --ask-at"))
        })?;
        let address = listener.local_addr().map_err(Failure::unavailable)?;
        let (orders, received) = mpsc::channel(1);
        let seen = Arc::new(Seen::default());
        let mut task = JoinSet::new();
        task.spawn(run(listener, address, data_plane, received, Arc::clone(&seen)));
        Ok(Self { orders, seen, _task: task })
    }

    /// Behaves like this from now on. Connections from before are closed first.
    pub async fn behave(&self, behaviour: Behaviour) -> Result<(), Failure> {
        let gone = || Failure::unavailable("the relay in front of the data plane ended");
        let (done, heard) = oneshot::channel();
        self.orders.send((behaviour, done)).await.map_err(|_| gone())?;
        heard.await.map_err(|_| gone())?.map_err(|cause| {
            Failure::unavailable(format!("the relay cannot listen again: {cause}; probe once more"))
        })
    }

    /// How many connections the gateway has made.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Whether the gateway asks over HTTP/2, as those do that ask over gRPC.
    pub fn is_asked_over_http2(&self) -> bool {
        self.seen.http2.load(Ordering::Relaxed)
    }
}

type Orders = mpsc::Receiver<(Behaviour, oneshot::Sender<io::Result<()>>)>;

async fn run(
    listener: TcpListener,
    address: SocketAddr,
    data_plane: String,
    mut orders: Orders,
    seen: Arc<Seen>,
) {
    let (mut listener, mut behaviour) = (Some(listener), Behaviour::Passes);
    let mut connections = JoinSet::new();
    let data_plane: Arc<str> = data_plane.into();
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((next, done)) = order else { return };
                connections.shutdown().await;
                behaviour = next;
                let ready = listen_or_not(&mut listener, address, behaviour).await;
                let _ = done.send(ready);
            }
            stream = accept(listener.as_ref()) => {
                while connections.try_join_next().is_some() {}
                if let (Ok(stream), true) = (stream, connections.len() < CONNECTIONS_MAX) {
                    seen.connections.fetch_add(1, Ordering::Relaxed);
                    let (data_plane, seen) = (Arc::clone(&data_plane), Arc::clone(&seen));
                    connections.spawn(async move {
                        // A broken connection is what this is for.
                        let _ = answer(stream, behaviour, &data_plane, &seen).await;
                    });
                }
            }
        }
    }
}

async fn listen_or_not(
    listener: &mut Option<TcpListener>,
    address: SocketAddr,
    behaviour: Behaviour,
) -> io::Result<()> {
    if behaviour == Behaviour::Stopped {
        *listener = None;
    } else if listener.is_none() {
        *listener = Some(TcpListener::bind(address).await?);
    }
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn answer(
    mut stream: TcpStream,
    behaviour: Behaviour,
    data_plane: &str,
    seen: &Seen,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if behaviour == Behaviour::Closes {
        return Ok(());
    }
    let mut question = vec![0; QUESTION_BYTES_MAX];
    let read = timeout(QUESTION_WITHIN, stream.read(&mut question)).await??;
    if question[..read].starts_with(HTTP2_BEGINS) {
        seen.http2.store(true, Ordering::Relaxed);
    }
    match behaviour {
        Behaviour::Passes => pass(stream, data_plane, &question[..read], Duration::ZERO).await,
        Behaviour::Holds(back) => pass(stream, data_plane, &question[..read], back).await,
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Resets => stream.set_zero_linger(),
        Behaviour::Says(bytes) => stream.write_all(bytes.as_bytes()).await,
        Behaviour::Breaks(bytes) => {
            stream.write_all(bytes.as_bytes()).await?;
            std::future::pending().await
        }
        Behaviour::Stopped | Behaviour::Closes => Ok(()),
    }
}

async fn pass(mut stream: TcpStream, data_plane: &str, question: &[u8], held: Duration) -> io::Result<()> {
    let mut real = timeout(CONNECTS_WITHIN, TcpStream::connect(data_plane)).await??;
    real.set_nodelay(true)?;
    real.write_all(question).await?;
    if held.is_zero() {
        return copy_bidirectional(&mut stream, &mut real).await.map(drop);
    }
    let mut piece = vec![0; QUESTION_BYTES_MAX];
    let read = real.read(&mut piece).await?;
    tokio::time::sleep(held).await;
    stream.write_all(&piece[..read]).await?;
    copy_bidirectional(&mut stream, &mut real).await.map(drop)
}
