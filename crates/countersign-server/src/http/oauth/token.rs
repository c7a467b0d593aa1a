//! `POST /v1/token`: OAuth 2.0 client credentials (RFC 6749 section 4.4). A client gives its Account SID and Auth Token and
//! gets an access token for ten minutes, with all scopes of its token or those it names. No other grant is known, there
//! are no refresh tokens, and no access token gets another one.

use countersign_model::{
    credential::{Authorization, DerivedCredential},
    decision::Decision,
};
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

use super::{Failure, Received, Refusal, identity, receive_from_client};
use crate::{
    http::data_plane::{
        Asked,
        answer::{self, Answer},
    },
    ops::access_tokens::{self, Narrowing},
    sealing::AccessToken,
};

#[derive(Serialize)]
struct Granted<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
}

/// Answers `POST /v1/token`.
pub(in crate::http) async fn answer(asked: Asked<'_>) -> Answer {
    let id = asked.id;
    let granted = match receive_from_client(asked).await {
        Ok(received) => grant(&received).await,
        Err(failure) => Err(failure),
    };
    let mut answer = granted.unwrap_or_else(|failure| failure.answer(id));
    answer.headers_mut().insert(HeaderName::from_static("pragma"), HeaderValue::from_static("no-cache"));
    answer
}

async fn grant(received: &Received<'_>) -> Result<Answer, Failure> {
    let app = &received.plane.app;
    let grant = received.required("grant_type")?;
    if grant != "client_credentials" {
        let text = "The only grant here is client_credentials.";
        return Err(Refusal::new("unsupported_grant_type", text).into());
    }
    let client = received.client()?;
    let client = client.ok_or_else(|| {
        Refusal::client(
            "Send the Account SID and Auth Token by HTTP Basic, or as client_id and client_secret.",
        )
    })?;
    let wanted = received.field("scope")?;
    let (now, header) = (app.clock.now(), client.header());
    let decision =
        app.verifier.decide(&identity(Authorization::One(header.as_bytes()), received.address), now);
    received.note("token", None, &decision);
    let allowed = match &decision {
        Decision::Allow(allowed) => allowed,
        Decision::Deny(denied) => return Err(Refusal::of(&denied.denial).into()),
        Decision::Unavailable(reason) => return Err(Failure::Unavailable(*reason)),
    };
    let holder = access_tokens::holder(app, &allowed.token.sid, allowed.secret_generation).await?;
    let holder =
        holder.ok_or_else(|| Refusal::client("Check the Account SID and Auth Token in the console."))?;
    let narrowing = match holder.narrowed(wanted) {
        Ok(narrowing) => narrowing,
        Err(text) => return Err(Refusal::new("invalid_scope", text).into()),
    };
    let Narrowing { scopes, ids } = narrowing;
    let credential = DerivedCredential {
        sid: allowed.token.sid,
        generation: allowed.secret_generation,
        scopes,
        issued_at: now.wall,
        ends_at: holder.access_token_end(now.wall),
    };
    let text = AccessToken::seal(&app.keys.ring(), &app.random, &credential)?;
    let expires_in = credential.ends_at.unix_secs() - now.wall.unix_secs();
    let scope = ids.join(" ");
    Ok(answer::json(&Granted { access_token: &text, token_type: "Bearer", expires_in, scope: &scope }))
}
