//! Digests and tags made anew because somebody just proved what they stand for. Asks never wait for it.

use countersign_model::{digest::Digest, id::TokenId};
use countersign_store::{NewDigest, NewTag, PlatformCredential, Write};
use countersign_verify::Renewal;
use serde_json::json;

use super::entry;
use crate::{
    app::App,
    error::{Error, Kind},
    limits::RENEWALS_PER_WRITE_MAX,
    node::TagRenewal,
};

/// Writes what verification and the doors have proved since the last time.
pub async fn renew(app: &App) -> Result<(), Error> {
    loop {
        let renewals = app.verifier.take_renewals(RENEWALS_PER_WRITE_MAX);
        if renewals.is_empty() {
            break;
        }
        let renewals = with_ids(app, renewals).await?;
        match app.commit(write(app, &renewals)).await {
            Ok(_) => {}
            // One of the tokens is gone; the others are written one by one.
            Err(error) if error.kind == Kind::Stale => {
                for one in &renewals {
                    let alone = app.commit(write(app, std::slice::from_ref(one))).await;
                    alone.map(|_| ()).or_else(unless_stale)?;
                }
            }
            Err(error) => return Err(error),
        }
    }
    gateways(app).await
}

fn unless_stale(error: Error) -> Result<(), Error> {
    if error.kind == Kind::Stale { Ok(()) } else { Err(error) }
}

/// The ids of the tokens, which the verifier does not keep. One that is gone needs no new digest.
async fn with_ids(app: &App, renewals: Vec<Renewal>) -> Result<Vec<(TokenId, Renewal)>, Error> {
    let mut known = Vec::with_capacity(renewals.len());
    for renewal in renewals {
        known.extend(app.store.token_by_sid(&renewal.sid).await?.map(|token| (token.id, renewal)));
    }
    Ok(known)
}

fn write(app: &App, renewals: &[(TokenId, Renewal)]) -> Write {
    let audit = entry(app, "keys.renew", "digests".to_owned(), json!({ "digests": renewals.len() }));
    renewals.iter().fold(Write::new(audit), |write, (token, one)| {
        let new =
            NewDigest { before: one.former, after: one.present, pepper: one.pepper, layered_over: None };
        write.renew_digest((*token, one.generation), &new)
    })
}

/// Makes the tag of a platform credential anew, where it was proved under an older one.
pub(in crate::ops) async fn renew_platform_tag(
    app: &App,
    proved: &PlatformCredential,
    newest: Digest,
) -> Result<(), Error> {
    let root = app.keys.ring().verify_root_generation();
    if proved.credential == newest || proved.root != root {
        return Ok(());
    }
    let audit = entry(app, "keys.renew", proved.id.to_string(), json!({ "platform_credentials": 1 }));
    let tag = NewTag { before: proved.credential, after: newest, root, layered_over: None };
    app.commit(Write::new(audit).move_platform_tag(proved.id, &tag)).await?;
    Ok(())
}

async fn gateways(app: &App) -> Result<(), Error> {
    let renewals = app.gateways.take_renewals();
    if renewals.is_empty() {
        return Ok(());
    }
    let root = app.keys.ring().verify_root_generation();
    let audit = entry(app, "keys.renew", "gateways".to_owned(), json!({ "gateways": renewals.len() }));
    let write = renewals.into_iter().fold(Write::new(audit), |write, TagRenewal { id, before, after }| {
        write.move_gateway_tag(id, &NewTag { before, after, root, layered_over: None })
    });
    app.commit(write).await?;
    app.gateways.reload(&app.store).await
}
