//! The one accept loop of every listener: strict HTTP/1.1, and HTTP/2 without TLS where it is wanted, time limits for
//! every phase of a connection, limits of connections, and a drain at the end. It upgrades no connection, accepts no
//! `Transfer-Encoding`, and knows no route: what answers is handed in.

mod body;
mod converse;
mod frames;
mod seats;
mod stream;
mod taking;
mod traffic;

use std::{io, time::Duration};

pub use body::RequestBody;
use bytes::Bytes;
use converse::converse;
use countersign_model::address;
use hyper::{Request, Response, body::Body, service::Service};
pub use seats::Seats;
use stream::Stream;
use tokio::{
    net::{TcpListener, UnixListener},
    sync::OwnedSemaphorePermit,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Peer, metrics::ListenerMetrics};

/// The pause after a failed accept: out of file descriptors, mostly, and trying at once would only burn the processor.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Where connections come from.
pub enum Listener {
    /// A TCP port.
    Tcp(TcpListener),
    /// A socket in the file system.
    Unix(UnixListener),
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/1.1.
    Http1,
    /// HTTP/1.1, and HTTP/2 with whoever begins with it ("prior knowledge", RFC 9113 section 3.3).
    Both,
}

/// Any failure, as services and bodies have them.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Serves until stopped; then finishes the requests in flight, for at most [`DRAIN_SECS`], and returns.
pub async fn serve<S, B>(
    listener: Listener,
    protocols: Protocols,
    service: S,
    seats: Seats,
    metrics: ListenerMetrics,
    stop: CancellationToken,
) where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send + 'static>,
    S: Clone + Send + 'static,
    S::Error: Into<AnyError> + Send,
    B: Body<Data = Bytes, Error: Into<AnyError>> + Send + 'static,
{
    let connections = TaskTracker::new();
    // While every seat is taken, connections wait in the kernel's queue.
    while let Some((stream, peer, permit)) = next(&listener, &seats, &stop).await {
        let Some(seat) = seats.take(peer, permit, &metrics.connections) else {
            metrics.refused.inc();
            continue;
        };
        let (service, stop) = (service.clone(), stop.clone());
        connections.spawn(async move {
            converse((stream, peer), protocols, service, stop).await;
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
    seats: &Seats,
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

async fn accept(listener: &Listener, seats: &Seats) -> io::Result<(Stream, Peer, OwnedSemaphorePermit)> {
    let permit = seats.wait().await.map_err(io::Error::other)?;
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

#[cfg(test)]
#[path = "serve/http2_tests.rs"]
mod http2_tests;
#[cfg(test)]
#[path = "serve/slow_readers_tests.rs"]
mod slow_readers_tests;
#[cfg(test)]
#[path = "serve/tests.rs"]
mod tests;
