//! An honest HTTP client, over TCP and over the socket of the command line.

use std::{net::SocketAddr, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1, header::HeaderMap};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

/// How long an answer may take: far longer than any time limit of what is tested.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// A header, empty where it is not there; more than one line is a failure.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let lines: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(lines.len() <= 1, "{name} came {} times: {:?}", lines.len(), self.headers);
        lines.first().map_or("", |line| line.to_str().unwrap())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends a request over TCP.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Reply {
    converse(TcpStream::connect(address).await.unwrap(), request).await
}

/// Sends a request over a unix socket.
pub async fn send_local(path: &Path, request: Request<Full<Bytes>>) -> Reply {
    converse(UnixStream::connect(path).await.unwrap(), request).await
}

async fn converse<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Reply {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let answered = tokio::time::timeout(ANSWERS_WITHIN, async {
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    });
    let reply = answered.await.expect("no answer");
    connection.abort();
    reply
}

/// A request, from `METHOD target` and header lines.
pub fn request(line: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Full<Bytes>> {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(target).header("host", "api.example.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body)).unwrap()
}

/// The value of `Authorization` for HTTP Basic.
pub fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}
