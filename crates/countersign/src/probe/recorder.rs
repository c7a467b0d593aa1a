//! The back end of a probe: it stands where the gateway sends what was allowed, answers everything with 200, and remembers
//! the requests of this probe. It keeps no bodies.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{HeaderValue, USER_AGENT},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, task::JoinSet};

use crate::failure::Failure;

/// Most requests kept between two looks; a probe looks after every request it sends.
const REACHED_MAX: usize = 1_000;
/// Largest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most connections at once.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection may take to send a header.
const HEADER_WITHIN: Duration = Duration::from_mins(2);

/// A request that reached the back end.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Its method.
    pub method: String,
    /// Its target, byte for byte.
    pub target: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// The listening back end; it ends when dropped.
pub struct Recorder {
    reached: Arc<Mutex<Vec<Reached>>>,
    _connections: JoinSet<()>,
}

impl Reached {
    /// The first line of a header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.headers.iter().filter(|(known, _)| known == name);
        lines.next().map_or("", |(_, value)| value.as_str())
    }
}

impl Recorder {
    /// Listens. Requests that do not carry this mark belong to somebody else and are answered, not kept.
    pub async fn listen(address: SocketAddr, mark: &str) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await.map_err(|cause| {
            Failure::unavailable(format!(
                "cannot listen on {address}: {cause}; stop the back end while its gateway is probed"
            ))
        })?;
        let reached = Arc::new(Mutex::new(Vec::new()));
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, Arc::clone(&reached), mark.to_owned()));
        Ok(Self { reached, _connections: connections })
    }

    /// What reached it since this was last asked.
    pub fn take(&self) -> Vec<Reached> {
        std::mem::take(&mut *self.reached.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn accept(listener: TcpListener, reached: Arc<Mutex<Vec<Reached>>>, mark: String) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS_MAX {
            continue;
        }
        let (reached, mark) = (Arc::clone(&reached), mark.clone());
        let answer = service_fn(move |request| {
            let (reached, mark) = (Arc::clone(&reached), mark.clone());
            async move { Ok::<_, Infallible>(record(request, &reached, &mark).await) }
        });
        connections.spawn(async move {
            let mut protocol = http1::Builder::new();
            let protocol = protocol.timer(TokioTimer::new()).header_read_timeout(HEADER_WITHIN);
            // A gateway that goes away ends its own connection and nothing else.
            let _ = protocol.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn record(
    request: Request<Incoming>,
    reached: &Mutex<Vec<Reached>>,
    mark: &str,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let target = head.uri.to_string();
    let carries = head.headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes() == mark.as_bytes());
    if carries || target.contains(mark) {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.len() < REACHED_MAX {
            reached.push(Reached { method: head.method.to_string(), target, headers });
        }
    }
    let _ = Limited::new(body, BODY_BYTES_MAX).collect().await;
    Response::new(Full::new(Bytes::from_static(b"recorded\n")))
}
