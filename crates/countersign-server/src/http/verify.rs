//! `POST /v1/verify`: a back end asks, once or many times in a request, and is told more than a gateway. A denial is
//! an answer here, so it comes with 200; an outage is not, so it comes with 503.

mod wire;

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use countersign_model::{
    catalog::Catalog,
    change::Seq,
    credential::Authorization,
    decision::{Ask, Decision, Target, Unavailable},
    id::RequestId,
    time::Now,
};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use wire::{AskBody, Body, Verdict, Verdicts};

use super::data_plane::{
    Asked, DataPlane,
    answer::{self, Answer},
    caller::{self, Claim},
    facts::scope_id,
};
use crate::{
    assertions::Statement,
    error::{Error, Kind},
    limits::{VERIFY_ASKS_MAX, VERIFY_BODY_BYTES_MAX},
    node::LiveGateway,
    sealing::AccessToken,
};

/// One checked ask, with what it borrows from the body.
struct Checked<'b> {
    body: &'b AskBody<'b>,
    target: Target<'b>,
    client_address: Option<IpAddr>,
    api_version: Option<String>,
}

/// Answers `POST /v1/verify`.
pub(super) async fn answer(asked: Asked<'_>) -> Answer {
    let (id, plane) = (asked.id, asked.plane);
    match judge(asked).await {
        Ok(answer) => answer,
        Err(error) => {
            let mut answer = answer::problem(&error, Some(id));
            if error.kind == Kind::Unauthenticated {
                plane.metrics.untrusted_gateways.inc();
                let challenge = HeaderValue::from_static("X-Countersign-Gateway realm=\"countersign\"");
                answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            answer
        }
    }
}

async fn judge(asked: Asked<'_>) -> Result<Answer, Error> {
    let (id, plane) = (asked.id, asked.plane);
    let headers = asked.request.headers();
    let gateway = caller::any(&plane.app, &Claim::of(headers), asked.peer).ok_or_else(gateway_unknown)?;
    if !is_json(headers) {
        return Err(Error::new(
            Kind::NotJson,
            "not_json",
            "Send the body as JSON, with Content-Type: application/json.",
        ));
    }
    let bytes: Bytes = asked.body(VERIFY_BODY_BYTES_MAX).await?;
    let body = Body::read(&bytes).map_err(|error| Error::malformed(unreadable(&error)))?;
    let body = body.ok_or_else(|| Error::malformed("An ask cannot hold asks; send one list of them."))?;
    match &body.asks {
        None => one(plane, &gateway, &body.one, id),
        Some(_) if !body.one.is_blank() => {
            Err(Error::invalid("asks", "send either one ask or a list of asks, not both"))
        }
        Some(asks) if (1..=VERIFY_ASKS_MAX).contains(&asks.len()) => many(plane, &gateway, asks, id),
        Some(_) => Err(Error::invalid("asks", format!("send 1 to {VERIFY_ASKS_MAX} asks"))),
    }
}

/// Answers one ask, as nearly every request is. It and [`many`] read the clock when the request is completely received.
fn one(plane: &DataPlane, gateway: &LiveGateway, ask: &AskBody<'_>, id: RequestId) -> Result<Answer, Error> {
    let checked = check(ask, None)?;
    let (now, seq) = (plane.app.clock.now(), plane.app.verifier.applied());
    let decision = match checked.decide(plane, now) {
        Ok(decision) => decision,
        Err(reason) => return Ok(unavailable(plane, gateway, reason, id)),
    };
    plane.note("verify", Some(&gateway.name), (id, checked.client_address), &decision);
    let catalog = catalog_for(plane, std::slice::from_ref(&decision));
    let assertion = checked.assertion(plane, gateway, &decision, (id, 0, now))?;
    Ok(answer::json(&Verdict::of(&decision, catalog.as_deref(), seq, id).with_assertion(assertion)))
}

fn many(
    plane: &DataPlane,
    gateway: &LiveGateway,
    asks: &[AskBody<'_>],
    id: RequestId,
) -> Result<Answer, Error> {
    let checked = asks.iter().enumerate().map(|(index, ask)| check(ask, Some(index)));
    let checked: Vec<Checked<'_>> = checked.collect::<Result<_, _>>()?;
    let (now, seq) = (plane.app.clock.now(), plane.app.verifier.applied());
    let decided: Result<Vec<Decision>, Unavailable> =
        checked.iter().map(|one| one.decide(plane, now)).collect();
    let decisions = match decided {
        Ok(decisions) => decisions,
        Err(reason) => return Ok(unavailable(plane, gateway, reason, id)),
    };
    for (one, decision) in checked.iter().zip(&decisions) {
        plane.note("verify", Some(&gateway.name), (id, one.client_address), decision);
    }
    let catalog = catalog_for(plane, &decisions);
    let mut verdicts = Vec::with_capacity(decisions.len());
    for (index, (one, decision)) in checked.iter().zip(&decisions).enumerate() {
        let assertion = one.assertion(plane, gateway, decision, (id, index, now))?;
        verdicts.push(Verdict::of(decision, catalog.as_deref(), seq, id).with_assertion(assertion));
    }
    Ok(answer::json(&Verdicts { verdicts }))
}

fn unavailable(plane: &DataPlane, gateway: &LiveGateway, reason: Unavailable, id: RequestId) -> Answer {
    plane.note("verify", Some(&gateway.name), (id, None), &Decision::Unavailable(reason));
    answer::unavailable(reason, id)
}

/// The catalog, where a denial may name a scope of it.
fn catalog_for(plane: &DataPlane, decisions: &[Decision]) -> Option<Arc<Catalog>> {
    let is_denial = |decision: &Decision| matches!(decision, Decision::Deny(_));
    decisions.iter().any(is_denial).then(|| plane.app.verifier.catalog()).flatten()
}

impl Checked<'_> {
    /// The decision; an outage of ours for one ask is one for the whole request, which is asked again as a whole.
    fn decide(&self, plane: &DataPlane, now: Now) -> Result<Decision, Unavailable> {
        let version = self.api_version.as_ref().map(String::as_bytes);
        let sent = match self.body.authorization.as_deref() {
            Some(value) => Authorization::One(value.as_bytes()),
            None => Authorization::Absent,
        };
        let derived = AccessToken::may_be_in(sent)
            .then(|| AccessToken::of_header(&plane.app.keys.ring(), sent, now.wall))
            .flatten();
        let ask = Ask {
            authorization: derived
                .as_ref()
                .map_or(sent, |derived| Authorization::Derived(&derived.credential)),
            target: self.target,
            version_headers: version.as_slice(),
            client_address: self.client_address,
            min_seq: self.body.min_seq.map(Seq),
        };
        match plane.app.verifier.decide(&ask, now) {
            Decision::Unavailable(reason) => Err(reason),
            decision => Ok(decision),
        }
    }

    /// What the back end is told, signed; nothing where the gateway has no audience, or no request was named.
    fn assertion(
        &self,
        plane: &DataPlane,
        gateway: &LiveGateway,
        decision: &Decision,
        (id, index, now): (RequestId, usize, Now),
    ) -> Result<Option<String>, Error> {
        let audience = gateway.assertion_audience.as_deref();
        let (Decision::Allow(allowed), Target::Request { method, uri }, Some(audience)) =
            (decision, self.target, audience)
        else {
            return Ok(None);
        };
        let scope = allowed.scope.and_then(|scope| scope_id(&allowed.catalog, scope)).unwrap_or_default();
        let statement = Statement {
            audience,
            method,
            host: self.body.host.as_deref().unwrap_or_default().as_bytes(),
            target: uri,
            allowed,
            scope,
            // The asks of one request are told apart by their place.
            id: &format!("{id}.{index}"),
            now: now.wall,
        };
        plane.app.assertions.sign(&plane.app.keys, &statement).map(Some)
    }
}

fn check<'b>(body: &'b AskBody<'b>, index: Option<usize>) -> Result<Checked<'b>, Error> {
    let field = |name: &str| index.map_or_else(|| name.to_owned(), |index| format!("asks[{index}].{name}"));
    let target = match (body.scope.as_deref(), body.method.as_deref(), body.uri.as_deref()) {
        (Some(scope), None, None) => Target::Scope(scope),
        (None, Some(method), Some(uri)) => Target::Request { method: method.as_bytes(), uri: uri.as_bytes() },
        (Some(_), _, _) => {
            return Err(Error::invalid(field("scope"), "name a scope or a method and a URI, not both"));
        }
        (None, None, _) => {
            return Err(Error::invalid(field("method"), "name a method and a URI, or a scope"));
        }
        (None, Some(_), None) => {
            return Err(Error::invalid(field("uri"), "name the original URI, such as /Advertisers"));
        }
    };
    let client_address = match body.client_address.as_deref().map(str::parse) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => {
            return Err(Error::invalid(field("client_address"), "this is not an IPv4 or IPv6 address"));
        }
    };
    Ok(Checked {
        body,
        target,
        client_address,
        api_version: body.api_version.map(|version| version.to_string()),
    })
}

/// Where the fault is; never what stands there, for it may be a secret.
fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Syntax => "is not JSON",
        serde_json::error::Category::Eof => "ends too early",
        _ => "is not an ask: a field is unknown, given twice, missing, or of the wrong type",
    };
    format!("The body {what}, at line {} column {}.", error.line(), error.column())
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let essence = line.to_str().ok().and_then(|line| line.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn gateway_unknown() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "gateway_unknown",
        "Send the credential of a gateway in X-Countersign-Gateway; an operator makes one with `countersign gateway create NAME`.",
    )
}
