//! The one accept loop of every listener: strict HTTP/1.1, time limits for every phase of a connection, limits of
//! connections, and a drain at the end. It upgrades no connection, accepts no `Transfer-Encoding`, and knows no route:
//! what answers is handed in.

mod body;
mod stream;

use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

pub use body::RequestBody;
use bytes::Bytes;
use countersign_model::address;
use http_body_util::{Either, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::metrics::gauge::Gauge;
use stream::{Phase, Stream, Watch, Watched};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Peer, metrics::ListenerMetrics};
use crate::limits::{
    CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, DRAIN_SECS, HEADER_BYTES_MAX, HEADERS_MAX,
};

/// The pause after a failed accept: out of file descriptors, mostly, and trying at once would only burn the processor.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Where connections come from.
pub enum Listener {
    /// A TCP port.
    Tcp(TcpListener),
    /// A socket in the file system.
    Unix(UnixListener),
}

/// Any failure, as services and bodies have them.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Serves until stopped; then finishes the requests in flight, for at most [`DRAIN_SECS`], and returns.
pub async fn serve<S, B>(listener: Listener, service: S, metrics: ListenerMetrics, stop: CancellationToken)
where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send, Error: Into<AnyError> + Send>,
    S: Clone + Send + 'static,
    B: Body<Data = Bytes, Error: Into<AnyError>> + Send + 'static,
{
    let (seats, addresses) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), Addresses::default());
    let connections = TaskTracker::new();
    // While every seat is taken, connections wait in the kernel's queue.
    while let Some((stream, peer, permit)) = next(&listener, &seats, &stop).await {
        let Some(seat) = addresses.take(peer, permit, &metrics.connections) else {
            metrics.refused.inc();
            continue;
        };
        let (service, stop) = (service.clone(), stop.clone());
        connections.spawn(async move {
            converse(stream, peer, service, stop).await;
            drop(seat);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection and its place among all; `None` once stopped.
async fn next(
    listener: &Listener,
    seats: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(Stream, Peer, OwnedSemaphorePermit)> {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            accepted = accept(listener, seats) => accepted,
        };
        match accepted {
            Ok(connection) => return Some(connection),
            // Whoever connected is gone already; nothing of ours is amiss.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn accept(
    listener: &Listener,
    seats: &Arc<Semaphore>,
) -> io::Result<(Stream, Peer, OwnedSemaphorePermit)> {
    let permit = Arc::clone(seats).acquire_owned().await.map_err(io::Error::other)?;
    match listener {
        Listener::Tcp(listener) => {
            let (stream, peer) = listener.accept().await?;
            // Answers are small and wanted now; where this fails the connection is broken and will say so itself.
            let _ = stream.set_nodelay(true);
            Ok((Stream::Tcp(stream), Peer(Some(address::normalise(peer.ip()))), permit))
        }
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            Ok((Stream::Unix(stream), Peer(None), permit))
        }
    }
}

/// One connection, from its first byte to its last.
async fn converse<S, B>(stream: Stream, peer: Peer, service: S, stop: CancellationToken)
where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send, Error: Into<AnyError> + Send>,
    S: Send + 'static,
    B: Body<Data = Bytes, Error: Into<AnyError>> + Send + 'static,
{
    let watch = Watch::default();
    let stream = TokioIo::new(Watched::new(stream, watch.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        watch.enter(Phase::Answering);
        let answer = admit(request, peer).map(|request| service.call(request));
        let watch = watch.clone();
        async move {
            let answer = match answer {
                Some(answer) => answer.await.map(|answer| answer.map(Either::Left)),
                None => Ok(length_required().map(Either::Right)),
            };
            watch.enter(Phase::Idle);
            look_again().await;
            answer
        }
    });
    let mut protocol = http1::Builder::new();
    // The stream keeps the time limits: hyper's own for the header would also end connections that are merely idle.
    protocol.timer(TokioTimer::new()).header_read_timeout(None);
    protocol.max_headers(HEADERS_MAX).max_header_size(HEADER_BYTES_MAX).max_buf_size(HEADER_BYTES_MAX);
    let mut connection = pin!(protocol.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let drained = tokio::time::timeout(Duration::from_secs(DRAIN_SECS), connection).await;
            drained.unwrap_or_else(|_| {
                tracing::warn!("a request was still being answered at the end of the drain");
                Ok(())
            })
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Has the connection polled once more. hyper does not look for the next request by itself once it has answered, and who
/// does not look starts no idle time.
async fn look_again() {
    poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Ready(())
    })
    .await;
}

/// Lets a request in, unless it is chunked. hyper takes a request with both `Content-Length` and `Transfer-Encoding` and
/// drops the former, so that nobody behind it can tell; none of our callers needs chunks, so chunks are refused, and
/// with them every disagreement about where a request ends (RFC 9112 section 11.2).
fn admit(request: Request<Incoming>, peer: Peer) -> Option<Request<RequestBody>> {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let mut request = request.map(RequestBody::new);
    request.extensions_mut().insert(peer);
    Some(request)
}

fn length_required() -> Response<Full<Bytes>> {
    const PROBLEM: &[u8] = br#"{"type":"about:blank","title":"Length Required","status":411,"code":"length_required","detail":"Send the body with Content-Length and without Transfer-Encoding."}"#;
    let mut answer = Response::new(Full::new(Bytes::from_static(PROBLEM)));
    *answer.status_mut() = StatusCode::LENGTH_REQUIRED;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// The place of one connection, given back when dropped.
struct Seat {
    addresses: Addresses,
    unit: Option<IpAddr>,
    connections: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Addresses {
    /// A place for one more connection of this peer, unless it has as many as it may.
    fn take(&self, peer: Peer, permit: OwnedSemaphorePermit, connections: &Gauge) -> Option<Seat> {
        let unit = peer.0.map(address::counting_unit);
        if let Some(unit) = unit {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(unit).or_default();
            if *count >= CONNECTIONS_PER_ADDRESS_MAX {
                return None;
            }
            *count += 1;
        }
        connections.inc();
        Some(Seat { addresses: self.clone(), unit, connections: connections.clone(), _permit: permit })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.dec();
        let Some(unit) = self.unit else { return };
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&unit) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&unit);
            }
        }
    }
}

#[cfg(test)]
#[path = "serve/tests.rs"]
mod tests;
