//! A relay in front of the real data plane, which a probe stops, slows and breaks: to the gateway it is Countersign on a
//! bad day. While nothing is broken it passes bytes on, and remembers what the last question said and nothing else.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
    try_join,
};

use super::{
    asked,
    stand_in::{self, As},
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
    /// Answers these bytes, whatever was asked, and closes: another program at this place.
    Says(&'static str),
    /// Answers as Countersign would: these bytes, or what they mean over gRPC.
    Decides(&'static str),
    /// Says this much of an answer and then nothing more.
    Breaks(&'static str),
    /// Passes the question on and keeps the real answer back this long.
    Holds(Duration),
}

impl Behaviour {
    /// Whether some gateway could take it for an allow, and not only to the doctor's own requests: what is no answer at all
    /// is a good one to those that believe in HTTP/0.9.
    pub fn may_allow(self) -> bool {
        match self {
            Self::Says(bytes) | Self::Decides(bytes) | Self::Breaks(bytes) => !["3", "4", "5", "9"]
                .iter()
                .any(|class| bytes.strip_prefix("HTTP/1.1 ").is_some_and(|status| status.starts_with(class))),
            _ => false,
        }
    }
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
    asked: Mutex<Vec<u8>>,
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

    /// Whether the real data plane was asked about exactly this target since this was last forgotten.
    pub fn was_asked_about(&self, target: &str) -> bool {
        let asked = self.seen.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked::names(&asked, target)
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.seen.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Seen {
    fn remember(&self, question: &[u8]) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() + question.len() <= QUESTION_BYTES_MAX {
            asked.extend_from_slice(question);
        }
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
    let mut begins = [0; HTTP2_BEGINS.len()];
    let peeked = timeout(QUESTION_WITHIN, stream.peek(&mut begins)).await??;
    let over_http2 = begins[..peeked] == *HTTP2_BEGINS;
    match behaviour {
        Behaviour::Passes => return pass(stream, data_plane, seen, Duration::ZERO).await,
        Behaviour::Holds(back) => return pass(stream, data_plane, seen, back).await,
        Behaviour::Says(bytes) if over_http2 && let Some(said) = stand_in::read(bytes) => {
            return stand_in::answer(stream, said, As::Another).await;
        }
        Behaviour::Decides(bytes) if over_http2 && let Some(said) = stand_in::read(bytes) => {
            return stand_in::answer(stream, said, As::Countersign).await;
        }
        _ => {}
    }
    // A connection that ends with a question unread ends with a reset, which nobody asked for.
    let mut question = vec![0; QUESTION_BYTES_MAX];
    timeout(QUESTION_WITHIN, stream.read(&mut question)).await??;
    match behaviour {
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Resets => stream.set_zero_linger(),
        Behaviour::Says(bytes) | Behaviour::Decides(bytes) => stream.write_all(bytes.as_bytes()).await,
        Behaviour::Breaks(bytes) => {
            stream.write_all(bytes.as_bytes()).await?;
            std::future::pending().await
        }
        Behaviour::Stopped | Behaviour::Closes | Behaviour::Passes | Behaviour::Holds(_) => Ok(()),
    }
}

/// Passes questions on and answers back, the first of them after this long.
async fn pass(mut stream: TcpStream, data_plane: &str, seen: &Seen, held: Duration) -> io::Result<()> {
    let mut real = timeout(CONNECTS_WITHIN, TcpStream::connect(data_plane)).await??;
    real.set_nodelay(true)?;
    let (mut questions, mut told) = stream.split();
    let (mut answers, mut asked) = real.split();
    let ask = async {
        let mut piece = vec![0; QUESTION_BYTES_MAX];
        loop {
            let read = questions.read(&mut piece).await?;
            if read == 0 {
                return asked.shutdown().await;
            }
            seen.remember(&piece[..read]);
            asked.write_all(&piece[..read]).await?;
        }
    };
    let tell = async {
        if !held.is_zero() {
            let mut piece = vec![0; QUESTION_BYTES_MAX];
            let read = answers.read(&mut piece).await?;
            tokio::time::sleep(held).await;
            told.write_all(&piece[..read]).await?;
        }
        copy(&mut answers, &mut told).await?;
        told.shutdown().await
    };
    try_join!(ask, tell).map(drop)
}
