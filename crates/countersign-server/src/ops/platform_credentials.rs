//! Platform credentials: machines with operator rights. Made and removed by operators, shown once.

use countersign_model::{
    credential::{Authorization, Credential, CredentialRoom},
    digest::Digest,
    id::PlatformCredentialId,
    secret::{Secret, SecretFormat, SecretPrefix, Shape},
    sid::Sid,
    time::Timestamp,
};
use countersign_store::{PlatformCredential, Write};
use serde_json::{Value, json};

use super::{
    gateways::{machine_name, mint},
    keys,
};
use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    keys::Purpose,
    limits::MACHINES_MAX,
    rights::Operator,
};

/// The form of platform credentials: `csplat_` and 38 characters.
pub fn format() -> SecretFormat {
    SecretPrefix::parse("csplat_")
        .map_or_else(|_| SecretFormat::standard(), |prefix| SecretFormat::new(prefix, Vec::new()))
}

/// The platform credential a request carries, if it is one of ours and has not expired.
pub async fn find_live(
    app: &App,
    authorization: Authorization<'_>,
) -> Result<Option<PlatformCredential>, Error> {
    let Some((tags, name)) = tags(app, authorization) else { return Ok(None) };
    let now = app.clock.wall();
    let mut found = None;
    for tag in &tags {
        found = app.store.platform_credential(*tag).await?;
        if found.is_some() {
            break;
        }
    }
    if let (Some(found), Some(newest)) = (&found, tags.first()) {
        keys::renew_platform_tag(app, found, *newest).await?;
    }
    // In Basic the user name is free; the credential's own name is what people try, so only that is let pass.
    let named = |found: &PlatformCredential| name.is_none_or(|name| name.as_str() == found.name);
    Ok(found.filter(|found| named(found) && found.expires_at.is_none_or(|end| now < end)))
}

/// Every tag that a platform credential may be kept under, and the user name beside it; `None` for what is none of ours.
fn tags(app: &App, authorization: Authorization<'_>) -> Option<(Vec<Digest>, Option<Sid>)> {
    let Authorization::One(value) = authorization else { return None };
    let mut room = CredentialRoom::default();
    let credential = Credential::parse(value, &mut room).ok()?;
    let minted = format().shape(credential.secret()) == Shape::Minted;
    minted.then(|| (app.keys.tags(Purpose::Platform, credential.secret()), credential.sid().copied()))
}

/// All of them, by name.
pub async fn list(app: &App, _: &Operator) -> Result<Vec<PlatformCredential>, Error> {
    Ok(app.store.platform_credentials().await?)
}

/// Makes one; the secret is in this answer and nowhere else.
pub async fn create(
    app: &App,
    operator: &Operator,
    name: &str,
    expires_at: Option<Timestamp>,
) -> Result<(PlatformCredential, Secret), Error> {
    let now = app.clock.wall();
    let name = machine_name(name)?;
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::invalid("expires_at", "it must be in the future"));
    }
    if app.store.platform_credentials().await?.len() >= MACHINES_MAX {
        let detail = format!("There are {MACHINES_MAX} platform credentials; remove one first.");
        return Err(Error::new(Kind::Conflict, "platform_credential_limit", detail));
    }
    let secret = mint(app, &format())?;
    let (root, credential) = app.keys.rooted_tag(Purpose::Platform, secret.expose().as_bytes());
    let credential = PlatformCredential {
        id: app.random.id(now)?,
        name,
        credential,
        root,
        last4: secret.last4(),
        created_at: now,
        expires_at,
    };
    let deed = Deed {
        action: "platform_credential.create",
        subject: credential.id.to_string(),
        subject_label: &credential.name,
        before: Value::Null,
        after: json!({ "name": credential.name, "expires_at": expires_at.map(|end| end.to_string()) }),
    };
    let write = Write::new(operator.audit(app, None, deed)).insert_platform_credential(&credential);
    app.commit(write).await?;
    Ok((credential, secret))
}

/// Removes one; requests with it fail from now on.
pub async fn delete(app: &App, operator: &Operator, id: PlatformCredentialId) -> Result<(), Error> {
    let all = app.store.platform_credentials().await?;
    let found = all.into_iter().find(|credential| credential.id == id).ok_or_else(Error::not_found)?;
    let deed = Deed {
        action: "platform_credential.delete",
        subject: id.to_string(),
        subject_label: &found.name,
        before: json!({ "name": found.name }),
        after: Value::Null,
    };
    app.commit(Write::new(operator.audit(app, None, deed)).delete_platform_credential(id)).await?;
    Ok(())
}
