//! What the relay says where gateways ask over HTTP/2, as those do that ask over gRPC: the same answers that it says byte
//! for byte over HTTP/1.1. It reads no question.

use std::{convert::Infallible, io};

use bytes::Bytes;
use countersign_server::http::grpc;
use http::{
    HeaderName, HeaderValue, Request, Response,
    header::{CONNECTION, CONTENT_LENGTH},
};
use http_body_util::{Either, Empty};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// Countersign: over gRPC, with what the answer means there.
    Countersign,
    /// Another program, which knows nothing of gRPC.
    Another,
}

/// Answers everything on this connection with the same, for as long as the gateway keeps it.
pub(super) async fn answer(stream: TcpStream, said: Response<Bytes>, who: As) -> io::Result<()> {
    let service = service_fn(move |call: Request<Incoming>| {
        let said = said.clone();
        async move {
            Ok::<_, Infallible>(match who {
                As::Countersign => grpc::say(call, said).await.map(Either::Left),
                As::Another => said.map(|_| Either::Right(Empty::<Bytes>::new())),
            })
        }
    });
    let protocol = http2::Builder::new(TokioExecutor::new());
    protocol.serve_connection(TokioIo::new(stream), service).await.map_err(io::Error::other)
}

/// The answer that these bytes are over HTTP/1.1, without what is about the connection; `None` where they are none.
pub(super) fn read(bytes: &str) -> Option<Response<Bytes>> {
    let (head, _) = bytes.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut said = Response::builder().status(status).body(Bytes::new()).ok()?;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let name: HeaderName = name.parse().ok()?;
        if name != CONNECTION && name != CONTENT_LENGTH {
            said.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
        }
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_whole_answers_are_answers() {
        let said = read("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_eq!((said.status().as_u16(), said.headers().len()), (429, 1));
        for none in
            ["", "garbage\r\n\r\n", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nX-Request-Id: req_0", "\0\0\0\0"]
        {
            assert!(read(none).is_none(), "{none:?}");
        }
    }
}
