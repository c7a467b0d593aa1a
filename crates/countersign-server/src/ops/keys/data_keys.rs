//! New data keys: of the installation and of every account. An account has both its keys until the last of its secrets is
//! sealed under the new one; most accounts are done in one transaction.

use countersign_store::{AccountKeys, KeptSecret, KeyJob, WebhookSecrets};

use super::{
    moved,
    step::{Next, PREPARE, ending},
};
use crate::{
    app::App,
    error::Error,
    limits::ROTATION_ROWS_PER_STEP,
    ops::webhooks,
    sealing::{self, DataKey, Header, Place},
};

const WEBHOOKS: &str = "webhooks";
const INSTALLATION: &str = "installation";
const ACCOUNTS: &str = "accounts";

pub(super) async fn step(app: &App, job: &KeyJob) -> Result<Next, Error> {
    match job.step.as_str() {
        PREPARE => prepare(app, job).await,
        WEBHOOKS => webhook_secrets(app, job).await,
        INSTALLATION => installation(app, job).await,
        _ => account(app, job).await,
    }
}

async fn prepare(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let ring = app.keys.ring();
    let next = ring.installation_key().generation + 1;
    let key = sealing::make_installation_key(ring.reveal_root(), &app.random, next)?;
    let write = moved(app, job, 1).insert_installation_key(&key, app.clock.wall());
    app.commit(write.move_key_job(job.number, WEBHOOKS, "", 0)).await?;
    Ok(Next::Same)
}

async fn webhook_secrets(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let found = app.store.webhook_secrets_after(&job.place, ROTATION_ROWS_PER_STEP).await?;
    let Some(last) = found.last().map(|one| one.id) else { return Ok(Next::Step(INSTALLATION)) };
    let mut write = moved(app, job, found.len());
    for before in &found {
        let reseal = |sealed: &Vec<u8>| webhooks::reseal(app, before.id, sealed);
        let after = WebhookSecrets {
            id: before.id,
            secret: reseal(&before.secret)?,
            former: before.former.as_ref().map(reseal).transpose()?,
        };
        write = write.reseal_webhook(before, &after);
    }
    app.commit(write.move_key_job(job.number, WEBHOOKS, &last.to_string(), 0)).await?;
    Ok(Next::Same)
}

/// The old keys of the installation go when a last look finds nothing that is sealed with them.
async fn installation(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let newest = app.keys.ring().installation_key().generation;
    let mut place = String::new();
    loop {
        let found = app.store.webhook_secrets_after(&place, ROTATION_ROWS_PER_STEP).await?;
        let Some(last) = found.last() else { break };
        place = last.id.to_string();
        for one in &found {
            for sealed in std::iter::once(&one.secret).chain(&one.former) {
                if Header::read(sealed)?.0.data_key != newest {
                    return Ok(Next::Step(WEBHOOKS));
                }
            }
        }
    }
    let write = moved(app, job, 1).drop_installation_keys_before(newest);
    app.commit(write.move_key_job(job.number, ACCOUNTS, "", 0)).await?;
    Ok(Next::Same)
}

async fn account(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let found = app.store.account_keys_after(&job.place, job.started_at, 1).await?;
    let Some(keys) = found.into_iter().next() else {
        app.commit(ending(app, job)).await?;
        return Ok(Next::End);
    };
    let place = keys.account.to_string();
    let newest = match keys.former {
        Some(_) => keys.present.clone(),
        None => DataKey::make(&app.keys, &app.random, keys.account, keys.present.generation + 1)?,
    };
    let limit = ROTATION_ROWS_PER_STEP;
    let secrets = app.store.sealed_under_other_keys(keys.account, newest.generation, limit).await?;
    let mut write = moved(app, job, secrets.len());
    if keys.former.is_none() {
        write = write.give_data_key(keys.account, &keys.present, &newest);
    }
    let new = DataKey::unwrap(&app.keys, keys.account, &newest.wrapped)?;
    for secret in &secrets {
        let (before, sealed) = reseal(app, &keys, &new, secret)?;
        write = write.reseal_secret((secret.token, secret.generation), sealed, (before, new.generation()));
    }
    let rows = secrets.len() as u64;
    let write = if rows < u64::from(limit) {
        let write = write.drop_former_data_key(keys.account, newest.generation);
        write.move_key_job(job.number, ACCOUNTS, &place, rows + 1)
    } else {
        write.move_key_job(job.number, ACCOUNTS, &job.place, rows)
    };
    app.commit(write).await?;
    Ok(Next::Same)
}

/// The secret sealed under the new key, and the generation of the one it was sealed under.
fn reseal(
    app: &App,
    keys: &AccountKeys,
    new: &DataKey,
    secret: &KeptSecret,
) -> Result<(u32, Vec<u8>), Error> {
    let sealed = secret.sealed.as_deref().unwrap_or_default();
    let generation = Header::read(sealed)?.0.data_key;
    let present = generation == keys.present.generation;
    let wrapped = keys.former.as_deref().filter(|_| !present).unwrap_or(&keys.present.wrapped);
    let old = DataKey::unwrap(&app.keys, keys.account, wrapped)?;
    let place = Place { account: secret.account, token: secret.token, generation: secret.generation };
    let clear = old.open(place, sealed)?;
    Ok((generation, new.seal(&app.random, place, &clear)?))
}
