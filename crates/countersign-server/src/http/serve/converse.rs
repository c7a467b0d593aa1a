//! One connection, from its first byte to its last: which protocol it speaks, its limits, and its end. It knows no route,
//! and answers by itself only what no door may see.

use std::{future::poll_fn, pin::Pin, pin::pin, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING},
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;

use super::{
    AnyError, Protocols, RequestBody,
    stream::{Phase, Stream, Watch, Watched},
    traffic::Traffic,
};
use crate::{
    http::Peer,
    limits::{
        DRAIN_SECS, HEADER_BYTES_MAX, HEADERS_MAX, HTTP2_ERROR_RESETS_MAX, HTTP2_PING_SECS, HTTP2_PONG_SECS,
        HTTP2_RESETS_PENDING_MAX, HTTP2_SEND_BUFFER_BYTES_MAX, HTTP2_STREAM_WINDOW_BYTES, HTTP2_STREAMS_MAX,
        HTTP2_WINDOW_BYTES,
    },
};

/// Answers the requests of a connection until it ends.
pub(super) async fn converse<S, B>(
    (stream, peer): (Stream, Peer),
    protocols: Protocols,
    service: S,
    stop: CancellationToken,
) where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send + 'static>,
    S: Send + 'static,
    S::Error: Into<AnyError> + Send,
    B: Body<Data = Bytes, Error: Into<AnyError>> + Send + 'static,
{
    let watch = Watch::default();
    let mut stream = Watched::new(stream, watch.clone());
    let begins_http2 = match protocols {
        Protocols::Http1 => Ok(false),
        Protocols::Both => tokio::select! {
            begins = stream.begins_http2() => begins,
            // Nothing was asked yet, so nothing is left unanswered.
            () = stop.cancelled() => return,
        },
    };
    let ended = match begins_http2 {
        Ok(true) => speak_http2(stream, peer, service, stop).await,
        Ok(false) => speak_http1((stream, watch), peer, service, stop).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn speak_http1<S, B>(
    (stream, watch): (Watched, Watch),
    peer: Peer,
    service: S,
    stop: CancellationToken,
) -> Result<(), AnyError>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send, Error: Into<AnyError> + Send>,
    S: Send + 'static,
    B: Body<Data = Bytes, Error: Into<AnyError>> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        watch.enter(Phase::Answering);
        let answer = admit(request, peer).map(|request| service.call(request));
        let watch = watch.clone();
        async move {
            let answer = match answer {
                Ok(answer) => answer.await.map(|answer| answer.map(Either::Left)),
                Err(refusal) => Ok(refuse(refusal).map(Either::Right)),
            };
            // Where it looked while we answered it does not look again by itself.
            if watch.enter_idle() {
                look_again().await;
            }
            answer
        }
    });
    let mut protocol = http1::Builder::new();
    // The stream keeps the time limits: hyper's own for the header would also end connections that are merely idle.
    protocol.timer(TokioTimer::new()).header_read_timeout(None);
    // Answers are small: one buffer and a plain write cost less than a list of two.
    protocol.writev(false);
    protocol.max_headers(HEADERS_MAX).max_header_size(HEADER_BYTES_MAX).max_buf_size(HEADER_BYTES_MAX);
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => Ok(ended?),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            drain(connection).await
        }
    }
}

async fn speak_http2<S, B>(
    mut stream: Watched,
    peer: Peer,
    service: S,
    stop: CancellationToken,
) -> Result<(), AnyError>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send + 'static>,
    S: Send + 'static,
    S::Error: Into<AnyError> + Send,
    B: Body<Data = Bytes, Error: Into<AnyError>> + Send + 'static,
{
    let traffic = Arc::new(Traffic::default());
    stream.count_frames(Arc::clone(&traffic));
    let account = Arc::clone(&traffic);
    let service = service_fn(move |request: Request<Incoming>| {
        let in_flight = account.begin();
        let answer = admit(request, peer).map(|request| service.call(request));
        async move {
            let answer = match answer {
                Ok(answer) => answer.await.map(|answer| answer.map(Either::Left)),
                Err(refusal) => Ok(refuse(refusal).map(Either::Right)),
            };
            in_flight.answered();
            answer
        }
    });
    let mut connection = pin!(http2_protocol().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return Ok(ended?),
        end = traffic.end() => tracing::debug!(?end, "an HTTP/2 connection is told to end"),
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    // A flood is not listened to any more, so it has until now to end by itself.
    if traffic.is_flood() {
        let once = poll_fn(|context| Poll::Ready(connection.as_mut().poll(context)));
        return match once.await {
            Poll::Ready(ended) => Ok(ended?),
            Poll::Pending => Ok(()),
        };
    }
    drain(connection).await
}

fn http2_protocol() -> http2::Builder<TokioExecutor> {
    let mut protocol = http2::Builder::new(TokioExecutor::new());
    protocol
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_pending_accept_reset_streams(HTTP2_RESETS_PENDING_MAX)
        .max_local_error_reset_streams(HTTP2_ERROR_RESETS_MAX)
        .max_header_list_size(u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES_MAX)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .keep_alive_interval(Duration::from_secs(HTTP2_PING_SECS))
        .keep_alive_timeout(Duration::from_secs(HTTP2_PONG_SECS));
    protocol
}

/// Lets the requests in flight come to their end, for as long as a drain takes.
async fn drain(connection: Pin<&mut impl Future<Output = hyper::Result<()>>>) -> Result<(), AnyError> {
    if let Ok(ended) = tokio::time::timeout(Duration::from_secs(DRAIN_SECS), connection).await {
        return Ok(ended?);
    }
    tracing::warn!("a request was still being answered at the end of the drain");
    Ok(())
}

/// Has the connection polled once more. hyper that looked for more while a request was answered does not look for the next
/// one by itself afterwards, and who does not look starts no idle time.
async fn look_again() {
    poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Ready(())
    })
    .await;
}

/// A status and a problem document.
type Refusal = (StatusCode, &'static [u8]);

/// Lets a request in, unless it is chunked or has too many header lines. hyper takes a request with both `Content-Length`
/// and `Transfer-Encoding` and drops the former, so that nobody behind it can tell; none of our callers needs chunks, so
/// chunks are refused, and with them every disagreement about where a request ends (RFC 9112 section 11.2). In HTTP/1.1
/// hyper counts the lines itself.
fn admit(request: Request<Incoming>, peer: Peer) -> Result<Request<RequestBody>, Refusal> {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return Err((StatusCode::LENGTH_REQUIRED, LENGTH_REQUIRED));
    }
    if request.headers().len() > HEADERS_MAX {
        return Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_MANY_HEADERS));
    }
    Ok(request.map(|incoming| RequestBody::new(incoming, peer)))
}

const LENGTH_REQUIRED: &[u8] = br#"{"type":"about:blank","title":"Length Required","status":411,"code":"length_required","detail":"Send the body with Content-Length and without Transfer-Encoding."}"#;
const TOO_MANY_HEADERS: &[u8] = br#"{"type":"about:blank","title":"Request Header Fields Too Large","status":431,"code":"header_too_large","detail":"Send fewer header lines; limits.md names how many there may be."}"#;

fn refuse((status, problem): Refusal) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(problem)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
