//! `POST /v1/introspect`: token introspection (RFC 7662), for gateways and back ends that ask what a token is rather than
//! what it may do. Whoever asks proves to be a gateway. A token that would be refused is `{"active":false}`, byte for
//! byte the same whatever the reason; an outage is 503 and never "inactive".

use countersign_model::decision::Decision;
use serde::Serialize;

use super::{Failure, Received, Refusal, receive};
use crate::{
    http::data_plane::{
        Asked,
        answer::{self, Answer},
        caller::{self, Claim},
    },
    node::LiveGateway,
    ops::access_tokens,
};

#[derive(Serialize)]
struct Inactive {
    active: bool,
}

/// A token that works now (RFC 7662 section 2.2), and what is ours: account, kind and version.
#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the name is the standard's")]
struct Active<'a> {
    active: bool,
    scope: &'a str,
    client_id: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    iat: i64,
    sub: &'a str,
    aud: &'a str,
    iss: &'a str,
    jti: &'a str,
    account: &'a str,
    kind: &'a str,
    version: u16,
}

/// Answers `POST /v1/introspect`.
pub(in crate::http) async fn answer(asked: Asked<'_>) -> Answer {
    // Who asks is a gateway itself: it speaks for no request, so its profile says nothing.
    let (id, peer) = (asked.id, asked.peer.0);
    let told = match receive(asked, peer).await {
        Ok(received) => tell(&received).await,
        Err(failure) => Err(failure),
    };
    told.unwrap_or_else(|failure| failure.answer(id))
}

async fn tell(received: &Received<'_>) -> Result<Answer, Failure> {
    let app = &received.plane.app;
    let gateway = prove(received)?;
    let address = match received.field("client_address")?.map(str::parse) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => return Err(Refusal::request("client_address is no IPv4 or IPv6 address.").into()),
    };
    let (decision, opened) = received.known(received.required("token")?, address, app.clock.now());
    received.note("introspect", Some(&gateway.name), &decision);
    let allowed = match decision {
        Decision::Allow(allowed) => allowed,
        Decision::Deny(_) => return Ok(answer::json(&Inactive { active: false })),
        Decision::Unavailable(reason) => return Err(Failure::Unavailable(reason)),
    };
    let holder = access_tokens::holder(app, &allowed.token.sid, allowed.secret_generation).await?;
    let Some(holder) = holder else { return Ok(answer::json(&Inactive { active: false })) };
    let sid = allowed.token.sid.as_str();
    let told = match &opened {
        Some(access) => access_tokens::Told {
            scopes: holder.within(access.credential.scopes.as_ref()),
            issued_at: access.credential.issued_at,
            ends_at: Some(access.credential.ends_at),
            id: access.id.clone(),
        },
        None => holder.told(),
    };
    Ok(answer::json(&Active {
        active: true,
        scope: &told.scopes.join(" "),
        client_id: sid,
        token_type: "Bearer",
        exp: told.ends_at.map(countersign_model::time::Timestamp::unix_secs),
        iat: told.issued_at.unix_secs(),
        sub: sid,
        aud: gateway.assertion_audience.as_deref().unwrap_or(&gateway.name),
        iss: &app.settings.public_url,
        jti: &told.id,
        account: &allowed.account.id.to_string(),
        kind: &allowed.account.kind,
        version: holder.api_version(),
    }))
}

/// The gateway that asks: by its header, or by HTTP Basic with its name, as OAuth libraries do. Wrong credentials are
/// counted by address as everywhere.
fn prove(received: &Received<'_>) -> Result<std::sync::Arc<LiveGateway>, Refusal> {
    let app = &received.plane.app;
    let claim = Claim::of(&received.headers);
    let found = match &claim {
        Claim::None => received.client()?.and_then(|client| {
            caller::named(app, &client.name, &Claim::One(client.secret.as_bytes()), received.peer)
        }),
        claim => caller::any(app, claim, received.peer),
    };
    found.ok_or_else(|| {
        received.plane.metrics.untrusted_gateways.inc();
        let waits = received.peer.0.and_then(|peer| app.verifier.note_failure(peer, app.clock.now()));
        let refusal = Refusal::client(
            "Send the name and credential of a gateway by HTTP Basic, or its credential in X-Countersign-Gateway.",
        );
        Refusal { retry_after_secs: waits, ..refusal }
    })
}
