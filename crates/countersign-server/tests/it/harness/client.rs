//! A caller of one kind, and the requests it sends.

use axum::{Router, body::Body};
use countersign_server::http::Peer;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::Answer;

/// Who sends a request, and how they prove it.
#[derive(Clone)]
pub struct Client {
    pub(super) router: Router,
    pub(super) headers: Vec<(String, String)>,
    pub(super) address: &'static str,
}

/// A request that can still be changed.
pub struct Request {
    client: Client,
    builder: http::request::Builder,
    body: Body,
}

impl Client {
    /// The same caller from another address.
    pub fn at_address(&self, address: &'static str) -> Self {
        Self { address, ..self.clone() }
    }

    /// The same caller at the doors of another installation.
    pub fn through(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    /// The same caller with one more header on every request.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// A request with this method.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let mut builder = http::Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        Request { client: self.clone(), builder, body: Body::empty() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path).json(&body).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.request("PUT", path).json(&body).send().await
    }

    /// A PATCH of what was seen with this edit number.
    pub async fn patch(&self, path: &str, edit: u64, body: Value) -> Answer {
        self.request("PATCH", path).header("if-match", &format!("\"{edit}\"")).json(&body).send().await
    }
}

impl Request {
    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// With these bytes as body.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::from(bytes.into());
        self
    }

    pub async fn send(self) -> Answer {
        let mut request = self.builder.body(self.body).unwrap();
        request.extensions_mut().insert(Peer(Some(self.client.address.parse().unwrap())));
        let response = self.client.router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}
