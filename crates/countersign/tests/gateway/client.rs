//! HTTP clients of the tests: hyper for requests as honest programs send them, raw bytes for all others.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Uri, Version,
    client::conn::{http1, http2},
    header::{HeaderMap, HeaderName, HeaderValue},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream, UnixStream},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use crate::{gateways::Running, table::Case};

/// How long an answer may take: far longer than any time limit of what is tested.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// How long an answer is waited for where it may not come before the request ends: longer than a busy machine takes.
const STARTS_WITHIN: Duration = Duration::from_secs(1);
/// How long more is waited for after an answer that said to be the last.
const ENDS_WITHIN: Duration = Duration::from_millis(5);

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
    raw_from(Ipv4Addr::LOCALHOST, address, bytes).await
}

/// The same for bytes that may be the beginning of something: whoever waits for more of it hears that nothing comes.
pub async fn raw_and_no_more(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may refuse before it has read everything.
    let _ = stream.write_all(bytes).await;
    let (mut answer, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    let mut patience = STARTS_WITHIN;
    loop {
        let read = tokio::time::timeout(patience, stream.read(&mut piece)).await;
        if let Ok(Ok(length @ 1..)) = read {
            answer.extend_from_slice(&piece[..length]);
            if says_its_end(&answer) {
                patience = ENDS_WITHIN;
            }
        } else if read.is_err() && patience == STARTS_WITHIN {
            let _ = stream.shutdown().await;
            patience = ANSWERS_WITHIN;
        } else {
            let is_silent = read.is_err() && patience == ANSWERS_WITHIN;
            assert!(!is_silent, "the connection was not closed after {:?}", String::from_utf8_lossy(bytes));
            return String::from_utf8_lossy(&answer).into_owned();
        }
    }
}

/// Whether the last answer says that the connection ends with it; some gateways take their time to end it then.
fn says_its_end(answers: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answers).to_ascii_lowercase();
    text.rsplit("http/1.1 ").next().is_some_and(|last| last.contains("\r\nconnection: close\r\n"))
}

/// The same from one of this machine's own addresses.
pub async fn raw_from(from: Ipv4Addr, address: SocketAddr, bytes: &[u8]) -> String {
    let mut answer = Vec::new();
    let exchange = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        // The other side may refuse before it has read everything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    let closed = tokio::time::timeout(ANSWERS_WITHIN, exchange).await;
    let (bytes, answer) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&answer).into_owned());
    assert!(closed.is_ok(), "the connection was not closed after {bytes:?}, but answered {answer:?}");
    answer
}

/// The statuses of all answers in what [`raw`] answered, but not of those that say to go on.
pub fn statuses(text: &str) -> Vec<u16> {
    let answers = text.split("HTTP/1.").skip(1);
    let statuses = answers.filter_map(|answer| answer.get(2..5)?.parse().ok());
    statuses.filter(|status| *status != 100).collect()
}

/// A connection that stays open.
pub enum Open {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Open {
    /// Opens one that speaks HTTP/1.1.
    pub async fn http1(running: &Running) -> Self {
        let stream = TcpStream::connect(running.address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    /// Opens one that speaks HTTP/2, the way this gateway does.
    pub async fn http2(running: &Running) -> Self {
        match &running.with_tls {
            None => Self::http2_over(TcpStream::connect(running.address).await.unwrap()).await,
            Some((address, certificate)) => {
                let stream = TcpStream::connect(address).await.unwrap();
                let name = ServerName::try_from("localhost").unwrap();
                let stream = TlsConnector::from(trusting(certificate)).connect(name, stream).await.unwrap();
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
                Self::http2_over(stream).await
            }
        }
    }

    async fn http2_over<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(stream: S) -> Self {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    /// Sends a request.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Reply {
        self.try_send(request).await.expect("the connection was closed")
    }

    /// Sends a request that the other side may refuse by closing.
    pub async fn try_send(&mut self, request: Request<Full<Bytes>>) -> Option<Reply> {
        let exchange = async {
            let answer = match self {
                Self::Http1(sender) => {
                    sender.ready().await.ok()?;
                    sender.send_request(request).await
                }
                Self::Http2(sender) => {
                    sender.ready().await.ok()?;
                    sender.send_request(request).await
                }
            };
            let (head, body) = answer.ok()?.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some(Reply { status: head.status.as_u16(), headers: head.headers, body })
        };
        tokio::time::timeout(ANSWERS_WITHIN, exchange).await.expect("no answer")
    }
}

fn trusting(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

/// The same request as HTTP/2 says it.
pub fn to_http2(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let target = request.uri().to_string();
    *request.uri_mut() = format!("http://api.example{target}").parse().unwrap();
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove("host");
    request
}

/// A request of the table as HTTP/2 says it, if it can be said; bodies and the framing of HTTP/1 cannot.
pub fn as_http2(case: &Case) -> Option<Request<Full<Bytes>>> {
    const HOP_BY_HOP: [&str; 7] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ];
    if !case.target.starts_with('/') || case.target.contains('#') || case.version != "HTTP/1.1" {
        return None;
    }
    if !case.body.is_empty() || case.from != Ipv4Addr::LOCALHOST || case.method == "CONNECT" {
        return None;
    }
    let uri: Uri = format!("http://api.example{}", case.target).parse().ok()?;
    if uri.path_and_query()?.as_str() != case.target {
        return None;
    }
    let method = Method::from_bytes(case.method.as_bytes()).ok()?;
    let mut request = Request::builder().method(method).uri(uri).version(Version::HTTP_2);
    for line in case.lines.iter().flat_map(|lines| lines.split("\r\n")) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if HOP_BY_HOP.contains(&name.as_str()) {
            if name == "content-length" {
                continue;
            }
            return None;
        }
        request = request.header(name, HeaderValue::from_str(value.trim_matches([' ', '\t'])).ok()?);
    }
    request.body(Full::default()).ok()
}

/// The value of `Authorization` for HTTP Basic.
pub fn basic(sid: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")))
}
