//! The sample API itself: answers every operation of the default catalog from the data beside it, shows which identity
//! headers reached it, and can record what reached it (`GET /_recorded` tells it and forgets it). It checks nothing and keeps nothing: it is what a back end
//! behind a gateway looks like to the gateway.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_model::catalog;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

const DATA: &str = include_str!("sample.json");
const NOTICE: &str = "This is the sample API of a Countersign demonstration; its data is made up.";
/// Requests remembered while recording; older ones make room.
const RECORDED_MAX: usize = 10_000;
/// Largest body that is read.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The API.
pub struct SampleApi {
    operations: Vec<Operation>,
    data: Map<String, Value>,
    recorded: Option<Mutex<Vec<Recorded>>>,
}

struct Operation {
    method: String,
    path: String,
}

/// A request that reached it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recorded {
    /// Its method.
    pub method: String,
    /// Its target, byte for byte.
    pub uri: String,
    /// Its headers, in the order they came.
    pub headers: Vec<(String, String)>,
    /// How long its body was, in bytes.
    pub body_bytes: usize,
}

impl SampleApi {
    /// The API; with `record` it remembers requests and shows them at `/_recorded`.
    pub fn new(record: bool) -> Result<Self, String> {
        let catalog =
            catalog::standard().map_err(|problems| format!("the catalog has {} problems", problems.len()))?;
        let operations = catalog.scopes.iter().flat_map(|scope| &scope.operations);
        let operations =
            operations.map(|one| Operation { method: one.method.clone(), path: one.path.clone() });
        let data = serde_json::from_str(DATA).map_err(|error| format!("sample.json: {error}"))?;
        let recorded = record.then(Mutex::default);
        Ok(Self { operations: operations.collect(), data, recorded })
    }

    /// Answers on this listener for ever.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let api = Arc::clone(&self);
            let answer = service_fn(move |request| {
                let api = Arc::clone(&api);
                async move { Ok::<_, Infallible>(api.answer(request).await) }
            });
            tokio::spawn(async move {
                let mut protocol = http1::Builder::new();
                // A client that went away ends its own connection and nothing else.
                let _ =
                    protocol.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }

    /// What reached it so far; empties the memory.
    pub fn take_recorded(&self) -> Vec<Recorded> {
        self.recorded.as_ref().map(|recorded| std::mem::take(&mut *lock(recorded))).unwrap_or_default()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let uri = head.uri.to_string();
        let Ok(body) =
            Limited::new(body, BODY_BYTES_MAX).collect().await.map(http_body_util::Collected::to_bytes)
        else {
            return told(StatusCode::PAYLOAD_TOO_LARGE, &json!({ "sample": true, "notice": NOTICE }));
        };
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        if self.recorded.is_some() && head.uri.path() == "/_recorded" {
            return told(StatusCode::OK, &json!(self.take_recorded()));
        }
        self.record(Recorded {
            method: head.method.to_string(),
            uri,
            headers: headers.clone(),
            body_bytes: body.len(),
        });
        let identity: Map<String, Value> = headers
            .into_iter()
            .filter(|(name, _)| name.starts_with("x-countersign-"))
            .map(|(name, value)| (name, value.into()))
            .collect();
        let method = effective_method(&head.method, head.uri.query());
        match self.find(method, head.uri.path()) {
            Some(operation) => told(StatusCode::OK, &self.data_of(operation, &identity)),
            None if head.uri.path() == "/" => {
                told(StatusCode::OK, &json!({ "sample": true, "notice": NOTICE }))
            }
            None => told(
                StatusCode::NOT_FOUND,
                &json!({ "sample": true, "notice": NOTICE, "error": "no such operation" }),
            ),
        }
    }

    fn record(&self, request: Recorded) {
        let Some(recorded) = &self.recorded else { return };
        let mut recorded = lock(recorded);
        if recorded.len() >= RECORDED_MAX {
            recorded.remove(0);
        }
        recorded.push(request);
    }

    /// The operation with this method and path; of several the one with most literal segments.
    fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        let fitting = self.operations.iter().filter(|one| one.method == method && fits(&one.path, path));
        fitting.max_by_key(|one| one.path.split('/').filter(|segment| !segment.starts_with('{')).count())
    }

    fn data_of(&self, operation: &Operation, identity: &Map<String, Value>) -> Value {
        let literal =
            operation.path.rsplit('/').find(|segment| !segment.starts_with('{')).unwrap_or_default();
        let rows = self.data.get(literal).and_then(Value::as_array).cloned().unwrap_or_default();
        let one = operation.path.ends_with('}');
        let data = match operation.method.as_str() {
            "GET" if one => rows.into_iter().next().unwrap_or(Value::Null),
            "GET" => Value::Array(rows),
            // Nothing is kept, so a write only says that it would have been done.
            _ => json!({ "Status": "OK", "Kept": false }),
        };
        json!({
            "sample": true,
            "notice": NOTICE,
            "operation": format!("{} {}", operation.method, operation.path),
            "identity": identity,
            "data": data,
        })
    }
}

/// `_method` in the query of a POST, as the API this one is modelled on has it.
fn effective_method<'r>(method: &'r Method, query: Option<&'r str>) -> &'r str {
    let asked =
        query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("_method="));
    match asked {
        Some(asked) if method == Method::POST => asked,
        _ => method.as_str(),
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/').enumerate(), path.split('/').map(decoded));
    loop {
        match (wanted.next(), found.next().as_deref()) {
            (None, None) => return true,
            (Some((_, wanted)), Some(found)) if wanted.starts_with('{') && !found.is_empty() => {}
            (Some((1, wanted)), Some(found)) if wanted.eq_ignore_ascii_case(found) => {}
            (Some((_, wanted)), Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
}

/// A segment with its percent escapes taken out, as every web framework does it.
fn decoded(segment: &str) -> String {
    let mut pieces = segment.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(format!("%{piece}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lock(recorded: &Mutex<Vec<Recorded>>) -> std::sync::MutexGuard<'_, Vec<Recorded>> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string() + "\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
