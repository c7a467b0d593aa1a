//! HTTP clients of the tests: hyper for requests as honest programs send them, raw bytes for all others.

use std::{net::SocketAddr, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1, header::HeaderMap};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

/// How long an answer may take: far longer than any time limit of what is tested.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
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
        Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    });
    let reply = answered.await.expect("no answer");
    connection.abort();
    reply
}

/// A request without a body, from `METHOD target` and header lines `Name: value`.
pub fn request(line: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    with_body(line, headers, Bytes::new())
}

/// A request with a body.
pub fn with_body(line: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Full<Bytes>> {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(target).header("host", "api.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body)).unwrap()
}

/// Sends bytes, and answers everything that comes until the other side closes.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The other side may refuse before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(ANSWERS_WITHIN, exchange)
        .await
        .expect("the connection was neither answered nor closed")
}

/// The statuses of all answers in what [`raw`] answered.
pub fn statuses(text: &str) -> Vec<u16> {
    text.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect()
}

/// The value of `Authorization` for HTTP Basic.
pub fn basic(sid: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")))
}
