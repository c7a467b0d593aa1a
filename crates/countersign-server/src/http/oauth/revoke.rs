//! `POST /v1/revoke`: revocation (RFC 7009) by whoever holds a token. To present it is to prove it. An Auth Token is
//! revoked by disabling its token, with what that token made, as in the console; an access token by ending it and every
//! access token that was derived from the same token until now (RFC 7009 section 2.1 leaves that to us). It is in force
//! when it is answered. Who presents what nobody knows is told the same, because then there is nothing to end.

use countersign_model::{decision::Decision, sid::Sid};

use super::{Failure, Received, Refusal, identity, receive_from_client};
use crate::{
    caller::{Caller, Identity},
    http::data_plane::{
        Asked,
        answer::{self, Answer},
    },
    ops::access_tokens::{self, Revoked},
};

/// Answers `POST /v1/revoke`.
pub(in crate::http) async fn answer(asked: Asked<'_>) -> Answer {
    let id = asked.id;
    let revoked = match receive_from_client(asked).await {
        Ok(received) => revoke(&received).await,
        Err(failure) => Err(failure),
    };
    revoked.unwrap_or_else(|failure| failure.answer(id))
}

async fn revoke(received: &Received<'_>) -> Result<Answer, Failure> {
    let app = &received.plane.app;
    let text = received.required("token")?;
    let now = app.clock.now();
    // A client need not name itself; if it does, it is held to it.
    let client = match received.client()? {
        None => None,
        Some(client) => {
            let header = client.header();
            let sent = countersign_model::credential::Authorization::One(header.as_bytes());
            let decision = app.verifier.decide(&identity(sent, received.address), now);
            Some(proven(&decision)?.ok_or_else(|| {
                Refusal::client(
                    "Check the Account SID and Auth Token, or leave them out: the token itself is proof.",
                )
            })?)
        }
    };
    let (decision, opened) = received.known(text, received.address, now);
    received.note("revoke", None, &decision);
    let Some(sid) = proven(&decision)? else { return Ok(answer::empty()) };
    if client.is_some_and(|client| client != sid) {
        let text = "The token is another client's; only who holds it can revoke it.";
        return Err(Refusal::new("invalid_grant", text).into());
    }
    let caller = |identity: Identity| Caller { identity, address: received.address, request_id: received.id };
    let presented = opened.as_ref().map(|opened| &opened.credential);
    match access_tokens::revoke(app, caller, &sid, presented).await? {
        Revoked::Done => Ok(answer::empty()),
        Revoked::Unsupported => {
            let text = "Legacy tokens are disabled as a pair, in the console.";
            Err(Refusal::new("unsupported_token_type", text).into())
        }
        Revoked::TooMany { retry_after_secs } => {
            let text = "Access tokens of this token were revoked too often; wait, then try again, or revoke the Auth Token.";
            let refusal = Refusal::new("temporarily_unavailable", text);
            Err(Refusal { retry_after_secs: Some(retry_after_secs), ..refusal }.into())
        }
    }
}

/// Whose token was proved. What is disabled, expired or not for this address is proved all the same.
fn proven(decision: &Decision) -> Result<Option<Sid>, Failure> {
    match decision {
        Decision::Allow(allowed) => Ok(Some(allowed.token.sid)),
        Decision::Deny(denied) if denied.denial.http_status() == 429 => {
            Err(Refusal::of(&denied.denial).into())
        }
        Decision::Deny(denied) => Ok(denied.token.as_ref().map(|token| token.sid)),
        Decision::Unavailable(reason) => Err(Failure::Unavailable(*reason)),
    }
}
