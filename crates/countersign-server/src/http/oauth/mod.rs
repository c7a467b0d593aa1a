//! The OAuth-shaped doors: introspection (RFC 7662), revocation (RFC 7009) and client credentials (RFC 6749 section 4.4).
//! They share how a form is read, how a client proves itself and how a refusal is told (RFC 6749 section 5.2). What a
//! token may do is decided where everything is decided; nothing is decided here.

pub(super) mod introspect;
pub(super) mod key_set;
pub(super) mod revoke;
pub(super) mod token;

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Denial, Denied, Target, Unavailable},
    limits::CREDENTIAL_BYTES_MAX,
    time::Now,
};
use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    Peer,
    data_plane::{
        Asked, DataPlane,
        answer::{self, Answer},
    },
    extract,
    forward_auth::authorization,
    whoami,
};
use crate::{
    error::Error,
    limits::{FORM_BYTES_MAX, FORM_FIELDS_MAX},
    sealing::AccessToken,
};

/// A form with its request. It holds credentials, so it cannot be printed.
struct Received<'r> {
    fields: Vec<(Zeroizing<String>, Zeroizing<String>)>,
    headers: HeaderMap,
    peer: Peer,
    /// The client's address, as far as it is known.
    address: Option<IpAddr>,
    id: countersign_model::id::RequestId,
    plane: &'r DataPlane,
}

/// A client that names itself: an Account SID and its Auth Token, or the name of a gateway and its credential.
struct Client {
    name: Zeroizing<String>,
    secret: Zeroizing<String>,
}

/// Why a door does not do it.
enum Failure {
    /// A refusal in the words of RFC 6749 section 5.2.
    Refused(Refusal),
    /// Anything else: too large, not now, our fault.
    Other(Error),
    /// This node cannot say.
    Unavailable(Unavailable),
}

/// A refusal: `error` and what to do next.
struct Refusal {
    error: &'static str,
    description: String,
    retry_after_secs: Option<u32>,
}

#[derive(Serialize)]
struct RefusalBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// Reads the form of a client, which may come through a gateway that says where it is.
async fn receive_from_client(asked: Asked<'_>) -> Result<Received<'_>, Failure> {
    let address = whoami::client_address(&asked)?;
    receive(asked, address).await
}

/// Reads the form of a request. No parameter is ever read from the URL.
async fn receive(asked: Asked<'_>, address: Option<IpAddr>) -> Result<Received<'_>, Failure> {
    let (id, plane, peer) = (asked.id, asked.plane, asked.peer);
    if extract::carries_secret(asked.request.uri(), &[&plane.app.settings.format]) {
        let denial = Denial::CredentialsMisplaced;
        let denied = Denied { denial, token: None, account: None };
        plane.note("oauth", None, (id, address), &Decision::Deny(denied));
        return Err(Refusal::request(Denial::CredentialsMisplaced.advice()).into());
    }
    let headers = asked.request.headers().clone();
    if !is_form(&headers) {
        let text = "Send the parameters as a form, with Content-Type: application/x-www-form-urlencoded.";
        return Err(Refusal::request(text).into());
    }
    let body = Zeroizing::new(asked.body(FORM_BYTES_MAX).await?.to_vec());
    let fields: Vec<_> = form_urlencoded::parse(&body)
        .take(FORM_FIELDS_MAX + 1)
        .map(|(name, value)| (Zeroizing::new(name.into_owned()), Zeroizing::new(value.into_owned())))
        .collect();
    if fields.len() > FORM_FIELDS_MAX {
        return Err(Refusal::request(format!("Send at most {FORM_FIELDS_MAX} parameters.")).into());
    }
    Ok(Received { fields, headers, peer, address, id, plane })
}

impl Received<'_> {
    /// A parameter. Without a value it counts as not sent; sent twice it is refused (RFC 6749 section 3.1).
    fn field(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.fields.iter().filter(|(found, _)| found.as_str() == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => {
                Err(Refusal::request(format!("The parameter {name} was sent twice; send it once.")))
            }
            (value, None) => Ok(value.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())),
        }
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.field(name)?
            .ok_or_else(|| Refusal::request(format!("The parameter {name} is missing; send it.")))
    }

    /// How the client proves itself: by HTTP Basic, whose two halves are form-encoded (RFC 6749 section 2.3.1), or by
    /// `client_id` and `client_secret` in the form. Not both.
    fn client(&self) -> Result<Option<Client>, Refusal> {
        let named = (self.field("client_id")?, self.field("client_secret")?);
        match (authorization(&self.headers), named) {
            (Authorization::Absent, (None, None)) => Ok(None),
            (Authorization::Absent, (Some(name), Some(secret))) => Ok(Some(Client {
                name: Zeroizing::new(name.to_owned()),
                secret: Zeroizing::new(secret.to_owned()),
            })),
            (Authorization::Absent, _) => {
                Err(Refusal::client("Send client_id and client_secret, or HTTP Basic with both."))
            }
            (Authorization::One(value), (_, None)) => match Client::of_basic(value) {
                Some(client) if named.0.is_none_or(|name| name == client.name.as_str()) => Ok(Some(client)),
                Some(_) => {
                    Err(Refusal::request("client_id and HTTP Basic name different clients; name one."))
                }
                None => Err(Refusal::client("Send HTTP Basic with client id and secret, each form-encoded.")),
            },
            (_, (_, Some(_))) => {
                Err(Refusal::request("Send the client's secret by HTTP Basic or in the form, not by both."))
            }
            _ => Err(Refusal::request("Send exactly one Authorization header.")),
        }
    }

    /// Who presents this token: the decision on being known, and, where it is one, the opened access token.
    fn known(&self, token: &str, address: Option<IpAddr>, now: Now) -> (Decision, Option<AccessToken>) {
        let app = &self.plane.app;
        let header = Zeroizing::new(format!("Bearer {token}"));
        let sent = Authorization::One(header.as_bytes());
        let opened = AccessToken::of_header(&app.keys.ring(), sent, now.wall);
        let authorization = opened.as_ref().map_or(sent, |opened| Authorization::Derived(&opened.credential));
        (app.verifier.decide(&identity(authorization, address), now), opened)
    }

    fn note(&self, door: &'static str, gateway: Option<&str>, decision: &Decision) {
        self.plane.note(door, gateway, (self.id, self.address), decision);
    }
}

impl Client {
    fn of_basic(value: &[u8]) -> Option<Self> {
        let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"basic ") || value.len() > CREDENTIAL_BYTES_MAX {
            return None;
        }
        let pair = Zeroizing::new(STANDARD.decode(encoded).ok()?);
        let (name, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
        Some(Self { name: form_decoded(name), secret: form_decoded(secret) })
    }

    /// The credential in the one form that is decided on: the `Authorization` header of a request to the API.
    fn header(&self) -> Zeroizing<String> {
        let pair = Zeroizing::new(format!("{}:{}", self.name.as_str(), self.secret.as_str()));
        Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
    }
}

/// An ask about nothing but who somebody is.
fn identity(authorization: Authorization<'_>, client_address: Option<IpAddr>) -> Ask<'_> {
    Ask { authorization, target: Target::Identity, version_headers: &[], client_address, min_seq: None }
}

/// One half of a Basic credential. An `&`, which an encoder would have escaped, is the letter it is.
fn form_decoded(text: &str) -> Zeroizing<String> {
    let escaped = Zeroizing::new(format!("half={}", text.replace('&', "%26")));
    let half = form_urlencoded::parse(escaped.as_bytes()).next();
    Zeroizing::new(half.map(|(_, value)| value.into_owned()).unwrap_or_default())
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let essence = line.to_str().ok().and_then(|line| line.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

impl Refusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into(), retry_after_secs: None }
    }

    fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    fn client(description: impl Into<String>) -> Self {
        Self::new("invalid_client", description)
    }

    /// A client that is not let in: unknown, or known and refused.
    fn of(denial: &Denial) -> Self {
        let error = match denial.http_status() {
            401 | 429 => "invalid_client",
            _ => "unauthorized_client",
        };
        Self { retry_after_secs: denial.retry_after_secs(), ..Self::new(error, denial.advice()) }
    }

    fn answer(&self) -> Answer {
        let status = match (self.error, self.retry_after_secs) {
            (_, Some(_)) => StatusCode::TOO_MANY_REQUESTS,
            ("invalid_client", None) => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let description = self.description.as_str();
        let mut answer = answer::json(&RefusalBody { error: self.error, error_description: description });
        *answer.status_mut() = status;
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"countersign\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(secs) = self.retry_after_secs {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        answer
    }
}

impl Failure {
    fn answer(self, id: countersign_model::id::RequestId) -> Answer {
        match self {
            Self::Refused(refusal) => refusal.answer(),
            Self::Other(error) => answer::problem(&error, Some(id)),
            Self::Unavailable(reason) => answer::unavailable(reason, id),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_basic_are_form_encoded() {
        for (pair, name, secret) in [
            ("BR1:secret", "BR1", "secret"),
            ("BR1:a%26b+c%2Bd%25", "BR1", "a&b c+d%"),
            ("BR1:a&b=c", "BR1", "a&b=c"),
            ("BR%31:x%3Ay", "BR1", "x:y"),
            ("BR1:a:b", "BR1", "a:b"),
            ("BR1:", "BR1", ""),
        ] {
            let header = format!("bAsIc {}", STANDARD.encode(pair));
            let client = Client::of_basic(header.as_bytes()).unwrap();
            assert_eq!((client.name.as_str(), client.secret.as_str()), (name, secret), "{pair}");
        }
        for bad in ["", "Basic", "Basic !", "Bearer QTpC", "Basic QUI="] {
            assert!(Client::of_basic(bad.as_bytes()).is_none(), "{bad}");
        }
        let long = format!("Basic {}", STANDARD.encode("a:".repeat(400)));
        assert!(Client::of_basic(long.as_bytes()).is_none());
    }
}
