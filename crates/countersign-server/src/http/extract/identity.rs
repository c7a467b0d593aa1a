//! Who calls: a person by the session cookie, a machine or a token by the `Authorization` header, the command line by
//! the unix socket. Exactly one of them, or nobody.

use std::sync::Arc;

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
};
use http::{HeaderMap, header, request::Parts};

use super::{
    super::{Door, RequestContext},
    same_origin,
};
use crate::{
    app::App,
    caller::{Caller, Identity},
    error::{Error, Kind},
    ops,
};

/// The cookie of a session. The prefix binds it to this host, to TLS and to the whole path.
pub const SESSION_COOKIE: &str = "__Host-countersign";

/// The caller of this request; an error says why nobody is known.
pub(super) async fn identify(parts: &Parts, app: &App) -> Result<Caller, Error> {
    let context = RequestContext::of(&parts.extensions)?;
    if let Some(caller) = context.caller() {
        return Ok(caller.clone());
    }
    let identity = match context.door {
        Door::LocalSocket => Identity::Cli,
        Door::Public => identity(parts, app, &context).await?,
    };
    let caller = Caller { identity, address: context.address, request_id: context.id };
    context.note_caller(&caller);
    Ok(caller)
}

async fn identity(parts: &Parts, app: &App, context: &RequestContext) -> Result<Identity, Error> {
    let authorization = authorization(&parts.headers);
    let session = cookie(&parts.headers, SESSION_COOKIE)?;
    match (authorization, session) {
        (Authorization::Absent, None) => Err(Error::unauthenticated()),
        (Authorization::Absent, Some(session)) => {
            same_origin::check(&parts.headers, &parts.method, &app.settings.public_url)?;
            ops::sessions::resume(app, session.as_bytes()).await
        }
        (authorization, None) => by_credential(app, authorization, context).await,
        (_, Some(_)) => Err(Error::new(
            Kind::Malformed,
            "credentials_ambiguous",
            "The request has a session cookie and an Authorization header; send one of them.",
        )),
    }
}

fn authorization(headers: &HeaderMap) -> Authorization<'_> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Authorization::Absent,
        (Some(line), None) => Authorization::One(line.as_bytes()),
        (Some(_), Some(_)) => Authorization::Many,
    }
}

/// The value of a cookie. Two of one name are refused: no browser of ours sends them.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Error> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Error::malformed(format!(
            "The cookie {name} was sent twice; clear the cookies of this site."
        ))),
    }
}

/// A machine or a token. Whatever fails is the verifier's to count and to name, so that guessing at one of them is
/// as slow as guessing at the other.
async fn by_credential(
    app: &App,
    authorization: Authorization<'_>,
    context: &RequestContext,
) -> Result<Identity, Error> {
    if let Some(credential) = ops::platform_credentials::find_live(app, authorization).await? {
        return Ok(Identity::Platform(Arc::new(credential)));
    }
    let ask = Ask {
        authorization,
        target: Target::Identity,
        version_headers: &[],
        client_address: context.address,
        min_seq: None,
    };
    match app.verifier.decide(&ask, app.clock.now()) {
        Decision::Allow(allowed) => {
            let token = ops::tokens::proven(app, &allowed.token).await?;
            token.map(|token| Identity::Token(Arc::new(token))).ok_or_else(Error::unauthenticated)
        }
        Decision::Deny(denied) => {
            let kind = match denied.denial.http_status() {
                400 => Kind::Malformed,
                401 => Kind::Unauthenticated,
                429 => Kind::TooMany,
                _ => Kind::Forbidden,
            };
            let error = Error::new(kind, denied.denial.code(), denied.denial.advice());
            Err(match denied.denial.retry_after_secs() {
                Some(secs) => error.retry_after(secs),
                None => error,
            })
        }
        Decision::Unavailable(reason) => Err(Error::unavailable("verifier", &reason.code())),
    }
}
