//! Gateways: who may ask for decisions, from where, and which headers they speak with.

use countersign_model::{
    address::parse_network,
    limits::{GATEWAY_NAME_BYTES_MAX, GATEWAY_PEERS_MAX},
    secret::{Secret, SecretFormat, SecretPrefix},
};
use countersign_store::{Gateway, Write};
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    keys::Purpose,
    limits::{AUDIENCE_BYTES_MAX, MACHINES_MAX},
    node::GatewayProfile,
    rights::Operator,
};

/// Longest header name of a profile, in bytes.
const HEADER_NAME_BYTES_MAX: usize = 64;
/// Most hops a profile may count.
const HOPS_MAX: u8 = 10;
/// Headers that mean something else already.
const RESERVED_HEADERS: [&str; 6] =
    ["authorization", "connection", "content-length", "cookie", "host", "transfer-encoding"];
/// How the headers begin that Countersign itself writes or is proved to with.
const OWN_HEADERS: &str = "x-countersign-";

/// What a gateway is made of.
pub struct NewGateway {
    /// Its name, in the URL of its door.
    pub name: String,
    /// From where it may call; empty: from everywhere.
    pub peers: Vec<String>,
    /// Where it says what.
    pub profile: GatewayProfile,
    /// The back end its assertions are addressed to; `None`: it gets none.
    pub assertion_audience: Option<String>,
}

/// What may change about a gateway; absent is unchanged.
pub struct GatewayEdit {
    /// From where it may call.
    pub peers: Option<Vec<String>>,
    /// Where it says what.
    pub profile: Option<GatewayProfile>,
    /// The back end its assertions are addressed to; `Some(None)`: it gets none any more.
    pub assertion_audience: Option<Option<String>>,
}

/// The form of gateway credentials: `csgate_` and 38 characters.
pub fn format() -> SecretFormat {
    SecretPrefix::parse("csgate_")
        .map_or_else(|_| SecretFormat::standard(), |prefix| SecretFormat::new(prefix, Vec::new()))
}

/// All gateways, by name.
pub async fn list(app: &App, _: &Operator) -> Result<Vec<Gateway>, Error> {
    Ok(app.store.gateways().await?)
}

/// The gateway with this name.
pub async fn find(app: &App, _: &Operator, name: &str) -> Result<Gateway, Error> {
    let all = app.store.gateways().await?;
    all.into_iter().find(|gateway| gateway.name == name).ok_or_else(Error::not_found)
}

/// Makes a gateway; its credential is in this answer and nowhere else.
pub async fn create(app: &App, operator: &Operator, new: NewGateway) -> Result<(Gateway, Secret), Error> {
    let name = machine_name(&new.name)?;
    let peers = peers(&new.peers)?;
    check_profile(&new.profile)?;
    check_audience(new.assertion_audience.as_deref())?;
    if app.store.gateways().await?.len() >= MACHINES_MAX {
        let detail = format!("There are {MACHINES_MAX} gateways; delete one first.");
        return Err(Error::new(Kind::Conflict, "gateway_limit", detail));
    }
    let now = app.clock.wall();
    let secret = mint(app, &format())?;
    let (root, credential) = app.keys.rooted_tag(Purpose::Gateway, secret.expose().as_bytes());
    let gateway = Gateway {
        id: app.random.id(now)?,
        name,
        credential,
        root,
        last4: secret.last4(),
        peers,
        profile: written(&new.profile)?,
        assertion_audience: new.assertion_audience,
        created_at: now,
        edit: 1,
    };
    let write =
        Write::new(operator.audit(app, None, deed("gateway.create", &gateway, Value::Null, facts(&gateway))));
    commit(app, write.insert_gateway(&gateway)).await?;
    Ok((gateway, secret))
}

/// Changes where a gateway may call from, or how it speaks.
pub async fn edit(
    app: &App,
    operator: &Operator,
    name: &str,
    seen: u64,
    edit: GatewayEdit,
) -> Result<Gateway, Error> {
    let before = find(app, operator, name).await?;
    let mut after = Gateway { edit: seen, ..before.clone() };
    if let Some(texts) = edit.peers {
        after.peers = peers(&texts)?;
    }
    if let Some(profile) = edit.profile {
        check_profile(&profile)?;
        after.profile = written(&profile)?;
    }
    if let Some(audience) = edit.assertion_audience {
        check_audience(audience.as_deref())?;
        after.assertion_audience = audience;
    }
    let write =
        Write::new(operator.audit(app, None, deed("gateway.update", &after, facts(&before), facts(&after))));
    commit(app, write.update_gateway(&after)).await?;
    find(app, operator, name).await
}

/// Gives a gateway a new credential; the old one fails from now on.
pub async fn reset(app: &App, operator: &Operator, name: &str) -> Result<(Gateway, Secret), Error> {
    let before = find(app, operator, name).await?;
    let secret = mint(app, &format())?;
    let (root, credential) = app.keys.rooted_tag(Purpose::Gateway, secret.expose().as_bytes());
    let after = Gateway { credential, root, last4: secret.last4(), ..before.clone() };
    let write =
        Write::new(operator.audit(app, None, deed("gateway.reset", &after, facts(&before), facts(&after))));
    commit(app, write.reset_gateway(&after)).await?;
    Ok((find(app, operator, name).await?, secret))
}

/// Deletes a gateway; it is not answered from now on.
pub async fn delete(app: &App, operator: &Operator, name: &str) -> Result<(), Error> {
    let gateway = find(app, operator, name).await?;
    let write =
        Write::new(operator.audit(app, None, deed("gateway.delete", &gateway, facts(&gateway), Value::Null)));
    commit(app, write.delete_gateway(&gateway)).await
}

/// Commits, and lets the doors know: they ask memory, not the store.
async fn commit(app: &App, write: Write) -> Result<(), Error> {
    app.commit(write).await?;
    app.gateways.reload(&app.store).await
}

/// The profile of a stored gateway.
pub fn profile(gateway: &Gateway) -> Result<GatewayProfile, Error> {
    serde_json::from_str(&gateway.profile).map_err(|error| Error::internal("gateway profile", &error))
}

/// Reads the name of a gateway or a platform credential: `[a-z0-9-]`, 1 to 40.
pub(super) fn machine_name(text: &str) -> Result<String, Error> {
    let fits = (1..=GATEWAY_NAME_BYTES_MAX).contains(&text.len());
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits && plain {
        Ok(text.to_owned())
    } else {
        let detail = format!("it must be 1 to {GATEWAY_NAME_BYTES_MAX} characters of a-z, 0-9 and `-`");
        Err(Error::invalid("name", detail))
    }
}

/// Mints a credential of this form.
pub(super) fn mint(app: &App, format: &SecretFormat) -> Result<Secret, Error> {
    let mut failure = None;
    let secret = format.mint(&mut |buffer| {
        if let Err(error) = app.random.fill(buffer) {
            // The loop inside ends only with letters; zeros are letters, and the secret is thrown away below.
            buffer.fill(0);
            failure = Some(error);
        }
    });
    failure.map_or(Ok(secret), Err)
}

fn peers(texts: &[String]) -> Result<Vec<IpNet>, Error> {
    if texts.len() > GATEWAY_PEERS_MAX {
        return Err(Error::invalid("peers", format!("at most {GATEWAY_PEERS_MAX} networks")));
    }
    let read = |(index, text): (usize, &String)| {
        parse_network(text).map_err(|error| Error::invalid(format!("peers[{index}]"), error))
    };
    texts.iter().enumerate().map(read).collect()
}

fn check_profile(profile: &GatewayProfile) -> Result<(), Error> {
    let headers: Vec<_> = profile.headers().collect();
    for (index, &(field, name)) in headers.iter().enumerate() {
        let field = format!("profile.{field}");
        let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let plain = (1..=HEADER_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(token);
        if !plain {
            return Err(Error::invalid(
                field,
                "it must be a header name in lower case, such as x-original-uri",
            ));
        }
        let twice = headers[..index].iter().any(|(_, other)| *other == name);
        if twice || RESERVED_HEADERS.contains(&name) || name.starts_with(OWN_HEADERS) {
            return Err(Error::invalid(field, "this header carries something else already; name another"));
        }
    }
    if (1..=HOPS_MAX).contains(&profile.address_hops) {
        Ok(())
    } else {
        Err(Error::invalid("profile.address_hops", format!("it must be 1 to {HOPS_MAX}")))
    }
}

/// An audience is compared letter by letter, so it has no letters that are written in two ways.
fn check_audience(audience: Option<&str>) -> Result<(), Error> {
    let Some(audience) = audience else { return Ok(()) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    if (1..=AUDIENCE_BYTES_MAX).contains(&audience.len()) && audience.bytes().all(plain) {
        return Ok(());
    }
    let detail =
        format!("it must be 1 to {AUDIENCE_BYTES_MAX} letters, digits and - . _ ~ : /, such as orders");
    Err(Error::invalid("assertion_audience", detail))
}

fn written(profile: &GatewayProfile) -> Result<String, Error> {
    serde_json::to_string(profile).map_err(|error| Error::internal("gateway profile", &error))
}

fn deed<'g>(action: &'static str, gateway: &'g Gateway, before: Value, after: Value) -> Deed<'g> {
    Deed { action, subject: gateway.id.to_string(), subject_label: &gateway.name, before, after }
}

fn facts(gateway: &Gateway) -> Value {
    let peers: Vec<String> = gateway.peers.iter().map(ToString::to_string).collect();
    json!({ "name": gateway.name, "peers": peers, "profile": gateway.profile,
        "assertion_audience": gateway.assertion_audience, "credential_last4": gateway.last4 })
}
