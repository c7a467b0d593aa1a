//! `/v1/forward-auth/{gateway}`, with or without the original target behind it: a gateway asks about the request it holds.
//! The contract is in `security.md`: the gateway first, then what its profile names and nothing else, then the decision,
//! told by status and headers. It never sees the body of the request, and rewrites nothing.

mod address;
mod identity;
mod read;

use std::net::IpAddr;

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Denial, Denied, Target},
    id::RequestId,
    time::Now,
};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
pub(super) use identity::IDENTITY_HEADERS;
use read::{Fault, Original};
pub(super) use read::{Question, client_address};
use serde_json::{Map, Value};

use super::{
    Peer,
    data_plane::{
        Asked, DataPlane,
        answer::{self, Answer},
        caller::{self, Claim},
        facts::{missing_scope, scope_id},
    },
};
use crate::{
    assertions::Statement,
    error::{Error, Kind},
    node::LiveGateway,
    sealing::AccessToken,
};

/// A gateway that proved itself and asks about the request it holds, through whatever door.
pub(super) struct Asking<'p> {
    /// What the door works with.
    pub plane: &'p DataPlane,
    /// The id of its question.
    pub id: RequestId,
    /// When it was all there.
    pub now: Now,
    /// Which door, as metrics and logs call it.
    pub door: &'static str,
    /// Who asks.
    pub gateway: &'p LiveGateway,
}

/// A decision about the request a gateway holds.
struct Judged {
    decision: Decision,
    client: IpAddr,
    /// For the back end; empty where there is nothing to say or nobody to say it to.
    assertion: Result<String, Error>,
}

/// Answers a gateway.
pub(super) fn answer(asked: &Asked<'_>) -> Answer {
    let (plane, id) = (asked.plane, asked.id);
    let (name, question) = Question::of(&asked.request);
    match caller::named(&plane.app, name, &Claim::of(question.headers), asked.peer) {
        Some(gateway) => {
            Asking { plane, id, now: asked.now, door: "forward_auth", gateway: &gateway }.judge(&question)
        }
        None => untrusted(plane, id, asked.peer),
    }
}

/// What somebody is told who asks as a gateway and does not prove to be one.
pub(super) fn untrusted(plane: &DataPlane, id: RequestId, peer: Peer) -> Answer {
    plane.metrics.untrusted_gateways.inc();
    tracing::warn!(%id, peer = ?peer.0, "an ask of a gateway we do not know");
    answer::problem(&gateway_untrusted(), Some(id))
}

impl Asking<'_> {
    /// Reads the question by the gateway's profile, decides, and tells.
    pub fn judge(&self, question: &Question<'_>) -> Answer {
        match self.decide(question) {
            Ok(Judged { decision, client, assertion }) => {
                let origin = (self.id, Some(client));
                self.plane.note(self.door, Some(&self.gateway.name), origin, &decision);
                match assertion {
                    Ok(assertion) => self.tell(&decision, &assertion),
                    Err(error) => answer::problem(&error, Some(self.id)),
                }
            }
            Err(Fault::OfRequest) => self.malformed(),
            Err(Fault::OfGateway(place)) => self.misconfigured(&place),
        }
    }

    /// The request tries to be read in two ways, which is its client's doing.
    pub fn malformed(&self) -> Answer {
        let denied = Denied { denial: Denial::RequestMalformed, token: None, account: None };
        let decision = Decision::Deny(denied);
        self.plane.note(self.door, Some(&self.gateway.name), (self.id, None), &decision);
        self.tell(&decision, "")
    }

    /// The gateway does not say what its profile names.
    pub fn misconfigured(&self, place: &str) -> Answer {
        let error = Error::new(
            Kind::Unavailable,
            "gateway_misconfigured",
            format!(
                "The gateway must send {place} as its profile says, and nothing else in its place; compare its configuration with the one we ship."
            ),
        );
        tracing::error!(id = %self.id, gateway = self.gateway.name, place, "the gateway does not follow its profile");
        answer::problem(&error.retry_after(1), Some(self.id))
    }

    fn decide(&self, question: &Question<'_>) -> Result<Judged, Fault> {
        let app = &self.plane.app;
        let headers = question.headers;
        let catalog = app.verifier.catalog();
        let version_header = catalog.as_ref().map(|catalog| catalog.version_header.as_str());
        let original = Original::read(question, &self.gateway.profile, version_header)?;
        let version_headers = version_header.map(|name| lines(headers, name)).unwrap_or_default();
        let (now, sent) = (self.now, authorization(headers));
        let derived = AccessToken::may_be_in(sent)
            .then(|| AccessToken::of_header(&app.keys.ring(), sent, now.wall))
            .flatten();
        let ask = Ask {
            authorization: derived
                .as_ref()
                .map_or(sent, |derived| Authorization::Derived(&derived.credential)),
            target: Target::Request { method: original.method, uri: original.uri },
            version_headers: &version_headers,
            client_address: Some(original.address),
            min_seq: None,
        };
        let decision = app.verifier.decide(&ask, now);
        let assertion = self.assertion((&original, now), &decision);
        Ok(Judged { decision, client: original.address, assertion })
    }

    /// What the back end is told, signed (rule 6 of the contract).
    fn assertion(&self, (original, now): (&Original<'_>, Now), decision: &Decision) -> Result<String, Error> {
        let app = &self.plane.app;
        let (Decision::Allow(allowed), Some(audience)) = (decision, &self.gateway.assertion_audience) else {
            return Ok(String::new());
        };
        let statement = Statement {
            audience,
            method: original.method,
            host: original.host,
            target: original.uri,
            allowed,
            scope: allowed.scope.and_then(|scope| scope_id(&allowed.catalog, scope)).unwrap_or_default(),
            id: &self.id.to_string(),
            now: now.wall,
        };
        app.assertions.sign(&app.keys, &statement)
    }

    fn tell(&self, decision: &Decision, assertion: &str) -> Answer {
        match decision {
            Decision::Allow(allowed) => {
                let mut answer = answer::empty();
                identity::tell(answer.headers_mut(), allowed, self.id, assertion);
                answer
            }
            Decision::Deny(denied) => {
                let mut answer = answer::denied(denied, &self.details(denied), self.id);
                if let Denial::RateLimited { retry_after_secs, limit } = denied.denial {
                    identity::tell_limit(answer.headers_mut(), limit, 0, retry_after_secs);
                }
                answer
            }
            Decision::Unavailable(reason) => answer::unavailable(*reason, self.id),
        }
    }

    /// What a caller that proved the secret is told beyond the code.
    fn details(&self, denied: &Denied) -> Map<String, Value> {
        let mut details = Map::new();
        if denied.token.is_some()
            && let Some(scope) = missing_scope(self.plane.app.verifier.catalog().as_deref(), &denied.denial)
        {
            details.insert("scope".to_owned(), scope.into());
        }
        details
    }
}

/// The one header credentials are read from.
pub(super) fn authorization(headers: &HeaderMap) -> Authorization<'_> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Authorization::Absent,
        (Some(line), None) => Authorization::One(line.as_bytes()),
        (Some(_), Some(_)) => Authorization::Many,
    }
}

fn lines<'r>(headers: &'r HeaderMap, name: &str) -> Vec<&'r [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

/// 503, because the fault of a gateway must not look like one of its client.
pub(super) fn gateway_untrusted() -> Error {
    Error::new(
        Kind::Unavailable,
        "gateway_untrusted",
        "This gateway is not known here; check its name, its credential in X-Countersign-Gateway and its peer addresses.",
    )
    .retry_after(1)
}
