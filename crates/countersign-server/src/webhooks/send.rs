//! Sends one signed request to one webhook, and says what came of it. No proxy, no redirect, no kept connection: every
//! attempt looks the name up and checks what it leads to. What is answered is read to its end, within a limit, and thrown
//! away; only its status is told.

use std::{
    collections::HashMap,
    error::Error as Cause,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use countersign_model::time::Timestamp;
use http::{StatusCode, header};
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use serde_json::Value;

use super::{
    guard::{Guard, Policy, Refusal},
    sign::{SigningSecret, signatures},
};
use crate::{
    limits::{WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_RETRY_AFTER_SECS_MAX, WEBHOOK_SECS},
    outcome::SendOutcome,
};

/// What the receiver is told.
#[derive(Debug)]
pub struct Message<'m> {
    /// Its id, the same on every attempt: receivers know by it what they have already.
    pub id: &'m str,
    /// When this attempt is made.
    pub at: Timestamp,
    /// Type, timestamp and data.
    pub payload: &'m Value,
}

/// Sends.
#[derive(Debug)]
pub struct Sender {
    guard: Guard,
    /// One for each port that is allowed, because what looks names up for a client is not told the port.
    clients: Mutex<HashMap<u16, Client>>,
}

/// Looks up names for the connections to one port.
struct Checked {
    guard: Guard,
    port: u16,
}

impl Sender {
    /// A sender under this policy.
    pub fn new(policy: Policy) -> Self {
        Self { guard: Guard::new(policy), clients: Mutex::default() }
    }

    /// Says where webhooks may lead.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a message once. Never longer than a few seconds; never fails otherwise than by the outcome.
    pub async fn send(&self, url: &str, secrets: &[SigningSecret], message: &Message<'_>) -> SendOutcome {
        let url = match self.guard.read(url) {
            Ok(url) => url,
            Err(refusal) => return refused(&refusal),
        };
        let client = match self.client(url.port_or_known_default().unwrap_or_default()) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "no client for webhooks can be made");
                return later(None, "we could not begin to send; the server's log says why");
            }
        };
        let body = message.payload.to_string();
        let timestamp = message.at.unix_millis().div_euclid(1_000);
        let sent = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures(secrets, message.id, timestamp, body.as_bytes()))
            .body(body)
            .send()
            .await;
        match sent {
            Ok(response) => answered(response).await,
            Err(error) => failed(&error),
        }
    }

    fn client(&self, port: u16) -> Result<Client, reqwest::Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&port) {
            return Ok(client.clone());
        }
        let limit = Duration::from_secs(WEBHOOK_SECS);
        let client = Client::builder()
            .dns_resolver(Checked { guard: self.guard.clone(), port })
            .no_proxy()
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .http1_only()
            .referer(false)
            .timeout(limit)
            .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")))
            .build()?;
        clients.insert(port, client.clone());
        Ok(client)
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, port) = (self.guard.clone(), self.port);
        Box::pin(async move {
            let addresses = guard.resolve(name.as_str(), port).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

async fn answered(response: Response) -> SendOutcome {
    let status = response.status();
    let after_secs = retry_after(&response);
    drain(response).await;
    let code = Some(status.as_u16());
    if status.is_success() {
        return SendOutcome::Sent { code };
    }
    let reason = if status == StatusCode::GONE {
        return SendOutcome::Refused { code, reason: "it answered that it is gone for good".to_owned() };
    } else if status.is_redirection() {
        "it answered with a redirect, which is not followed"
    } else {
        "it did not answer with success"
    };
    SendOutcome::Later { code, reason: reason.to_owned(), after_secs }
}

/// The seconds of `Retry-After`, within our bounds. A date in its place is not read: our own pace holds then.
fn retry_after(response: &Response) -> Option<u32> {
    let seconds: u32 = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.min(WEBHOOK_RETRY_AFTER_SECS_MAX))
}

/// Reads what is answered, so that the receiver can finish; the status is known already, whatever comes of this.
async fn drain(mut response: Response) {
    let mut left = WEBHOOK_ANSWER_BYTES_MAX;
    while let Ok(Some(part)) = response.chunk().await {
        if part.len() > left {
            return;
        }
        left -= part.len();
    }
}

fn failed(error: &reqwest::Error) -> SendOutcome {
    let mut cause: Option<&(dyn Cause + 'static)> = error.source();
    let mut kind = None;
    while let Some(inner) = cause {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return refused(refusal);
        }
        kind = inner.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        cause = inner.source();
    }
    let reason = if error.is_timeout() {
        "it did not answer in time"
    } else {
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
            Some(io::ErrorKind::InvalidData) => {
                "no trusted TLS connection could be made; check its certificate"
            }
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                "it cannot be reached"
            }
            _ if error.is_connect() => "no connection could be made",
            _ => "the connection ended before an answer",
        }
    };
    later(None, reason)
}

fn refused(refusal: &Refusal) -> SendOutcome {
    match refusal {
        Refusal::Name { transient: true } => later(None, "its name has no address just now"),
        _ => SendOutcome::Refused { code: None, reason: refusal.to_string() },
    }
}

fn later(code: Option<u16>, reason: &str) -> SendOutcome {
    SendOutcome::Later { code, reason: reason.to_owned(), after_secs: None }
}
