//! A plain HTTP client of the tests: one kept connection, JSON in and out.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A connection, and the headers every request on it carries.
pub struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { address, sender, headers: Vec::new() }
    }

    /// The same, with a header on every request.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Another connection to the same address with the same headers and one more.
    pub async fn again(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut client = Self::connect(self.address).await;
        client.headers.clone_from(&self.headers);
        client.with(name, value)
    }

    /// Asks; `None` where the connection broke before the answer was there.
    pub async fn try_ask(&mut self, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(bytes)).unwrap();
        self.sender.ready().await.ok()?;
        let response = self.sender.send_request(request).await.ok()?;
        let status = response.status();
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        Some(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Asks; the answer must come.
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.try_ask(method, path, body).await.expect("the connection broke")
    }
}
