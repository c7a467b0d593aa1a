//! A new pepper, of the same verify root or of a new one. Recoverable secrets get a digest made with it; the others keep
//! theirs under a layer of it, until they are used again. Every digest is accepted at every moment: the key comes before
//! the first digest that is made with it, and goes after the last.

use std::collections::{HashMap, hash_map::Entry};

use countersign_model::{digest::Digest, id::AccountId};
use countersign_store::{
    KeptSecret, KeyGeneration, KeyJob, KeyKind, KeyState, NewDigest, NewTag, Rotation, Write,
};

use super::{
    entry, former, moved, put_aside,
    step::{Next, PREPARE, ending},
};
use crate::{
    app::App,
    error::{Error, Kind},
    keys::{Purpose, RootKind},
    limits::{LAYERED_TOKENS_NAMED_MAX, ROTATION_ROWS_PER_STEP},
    ops::secrets,
    sealing::{DataKey, Place},
};

const DIGESTS: &str = "digests";
const CREDENTIALS: &str = "credentials";
const EVIDENCE: &str = "evidence";
const CLOSE: &str = "close";

pub(super) async fn step(app: &App, job: &KeyJob) -> Result<Next, Error> {
    match job.step.as_str() {
        PREPARE => prepare(app, job).await,
        DIGESTS => digests(app, job).await,
        CREDENTIALS => credentials(app, job).await,
        EVIDENCE => evidence(app).await,
        _ => close(app, job).await,
    }
}

async fn prepare(app: &App, job: &KeyJob) -> Result<Next, Error> {
    if job.drops_layered {
        let now = app.clock.wall();
        let (layered, _) = app.store.layered_tokens(now, LAYERED_TOKENS_NAMED_MAX).await?;
        if !layered.is_empty() {
            let write = layered.iter().fold(moved(app, job, layered.len()), |write, one| {
                write.end_secret((one.token, one.generation), now)
            });
            app.commit(write).await?;
            return Ok(Next::Same);
        }
    }
    let table = app.store.key_table().await?;
    let mut write = former(&table, KeyKind::Pepper)
        .fold(moved(app, job, 0), |write, one| write.retire_key(KeyKind::Pepper, one.generation));
    let ring = app.keys.ring();
    let mut root = ring.verify_root_generation();
    if job.kind == Rotation::VerifyRoot {
        root = root.checked_add(1).ok_or_else(|| Error::internal("keys", &"too many generations"))?;
        let made = app.keys.make_root(RootKind::Verify, root, &app.random)?;
        write = put_aside(write, &table, KeyKind::VerifyRoot).put_key_generation(&KeyGeneration {
            kind: KeyKind::VerifyRoot,
            generation: root,
            state: KeyState::Current,
            root: None,
            proof: made.proof(),
            made_at: app.clock.wall(),
        });
    }
    let newest = table.needed(KeyKind::Pepper).next().map_or(0, |one| one.generation);
    let generation = newest.checked_add(1).ok_or_else(|| Error::internal("keys", &"too many generations"))?;
    let pepper = KeyGeneration {
        kind: KeyKind::Pepper,
        generation,
        state: KeyState::Current,
        root: Some(root),
        proof: app.keys.pepper_proof(root, generation)?,
        made_at: app.clock.wall(),
    };
    let write = put_aside(write, &table, KeyKind::Pepper).put_key_generation(&pepper);
    app.commit(write.move_key_job(job.number, DIGESTS, "", 0)).await?;
    Ok(Next::Same)
}

async fn digests(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let present = app.keys.lookup();
    let limit = ROTATION_ROWS_PER_STEP;
    let found = app.store.digests_of_other_peppers(present.generation(), ("", 0), limit).await?;
    if found.is_empty() {
        return Ok(Next::Step(if job.kind == Rotation::VerifyRoot { CREDENTIALS } else { CLOSE }));
    }
    let mut keys = HashMap::new();
    let mut write = moved(app, job, found.len());
    for secret in &found {
        let (after, layered_over) = match recovered(app, &mut keys, secret).await? {
            Some(direct) => (direct, None),
            None => (present.layer(&secret.digest), Some(secret.pepper)),
        };
        let new = NewDigest { before: secret.digest, after, pepper: present.generation(), layered_over };
        write = write.renew_digest((secret.token, secret.generation), &new);
    }
    app.commit(write.move_key_job(job.number, DIGESTS, "", found.len() as u64)).await?;
    Ok(Next::Same)
}

/// The digest of a recoverable secret with the present key, `None` for one of which only the digest is kept.
async fn recovered(
    app: &App,
    keys: &mut HashMap<AccountId, DataKey>,
    secret: &KeptSecret,
) -> Result<Option<Digest>, Error> {
    let Some(sealed) = secret.sealed.as_deref() else { return Ok(None) };
    let key = match keys.entry(secret.account) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let Some(account) = app.store.account(secret.account).await? else { return Ok(None) };
            place.insert(DataKey::unwrap(&app.keys, account.id, secrets::wrapping(&account, sealed)?)?)
        }
    };
    let place = Place { account: secret.account, token: secret.token, generation: secret.generation };
    let clear = key.open(place, sealed)?;
    let shape = app.settings.format.shape(clear.expose().as_bytes());
    Ok(app.keys.lookup().digest(clear.expose().as_bytes(), shape))
}

/// Gateways and platform credentials: only their tags are kept, so they are layered until they are used again.
async fn credentials(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let root = app.keys.ring().verify_root_generation();
    let gateways = app.store.gateways_of_other_roots(root, ROTATION_ROWS_PER_STEP).await?;
    let platform = app.store.platform_credentials_of_other_roots(root, ROTATION_ROWS_PER_STEP).await?;
    let rows = gateways.len() + platform.len();
    if rows == 0 {
        return Ok(Next::Step(EVIDENCE));
    }
    let layered = |purpose, before: Digest, over| NewTag {
        before,
        after: app.keys.layer_tag(purpose, before),
        root,
        layered_over: Some(over),
    };
    let mut write = moved(app, job, rows);
    for one in gateways {
        write = write.move_gateway_tag(one.id, &layered(Purpose::Gateway, one.tag, one.root));
    }
    for one in platform {
        write = write.move_platform_tag(one.id, &layered(Purpose::Platform, one.tag, one.root));
    }
    app.commit(write.move_key_job(job.number, CREDENTIALS, "", 0)).await?;
    app.gateways.reload(&app.store).await?;
    Ok(Next::Same)
}

/// The row MACs and the anchor are made with a key of the verify root, too. Doing it twice is doing it once.
async fn evidence(app: &App) -> Result<Next, Error> {
    app.store.restamp(app.keys.row_key()).await?;
    let rekeyed = app.anchor.rekey(app.keys.row_key(), app.clock.wall()).await;
    rekeyed.map_err(|error| Error::unavailable("anchor", &error))?;
    Ok(Next::Step(CLOSE))
}

/// A token may have been made with the old key at the last moment; then it is looked for again.
async fn close(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let table = app.store.key_table().await?;
    let layered = former(&table, KeyKind::Pepper)
        .fold(ending(app, job), |write: Write, one| write.layer_pepper(one.generation));
    match app.commit(layered).await {
        Ok(_) => {
            super::retire(app).await?;
            Ok(Next::End)
        }
        Err(error) if error.kind == Kind::Stale => {
            let audit = entry(app, "keys.move", job.number.to_string(), serde_json::Value::Null);
            app.commit(Write::new(audit).move_key_job(job.number, DIGESTS, "", 0)).await?;
            Ok(Next::Same)
        }
        Err(error) => Err(error),
    }
}
