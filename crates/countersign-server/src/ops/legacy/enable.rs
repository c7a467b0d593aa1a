//! Enables legacy tokens: makes what the pair lacks, and switches the account's legacy tokens on.

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    event::Event,
    grant::Access,
    name::{Description, TokenName},
};
use countersign_store::{Token, Write};
use serde_json::{Value, json};

use super::{Half, LegacyAnswer, account_now, answer};
use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    ops::{
        notices,
        tokens::{
            create::{Blueprint, Made, make, require_api_access},
            deed,
        },
    },
    rights::{Granted, ManageLegacy},
};

/// Names tried for one credential before somebody has to rename a token.
const NAMES_MAX: u32 = 100;

/// Makes the pair. An account that has one half already, by an import, gets the other; one that has both and has them
/// enabled is a conflict.
pub async fn enable(app: &App, granted: &Granted<ManageLegacy>) -> Result<LegacyAnswer, Error> {
    require_api_access(&granted.account)?;
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt(app, granted).await {
            // A name or a half that somebody took between looking and writing is seen at the next look.
            Err(error) if attempts.again(deed::is_stale(&error) || error.code == "name_taken") => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(app: &App, granted: &Granted<ManageLegacy>) -> Result<LegacyAnswer, Error> {
    let catalog = app.catalog()?;
    let (_, kind) = deed::kind_of(&catalog, &granted.account)?;
    if kind.legacy_cut_over.is_none() {
        let detail = "Accounts of this kind have no legacy tokens; create a scoped token instead.";
        return Err(Error::new(Kind::Conflict, "legacy_not_available", detail));
    }
    let mut account = account_now(app, granted).await?;
    let mut missing = Vec::new();
    for half in Half::BOTH {
        if app.store.within(account.id).legacy(half.access()).await?.is_none() {
            missing.push(half);
        }
    }
    if missing.is_empty() && account.legacy_tokens {
        return Err(countersign_store::Conflict::LegacyExists.into());
    }
    let version = kind.latest();
    let mut made = Vec::with_capacity(missing.len());
    for half in missing {
        let name = free_name(app, granted, half).await?;
        made.push((half, make(app, granted, kind.code, blueprint(half, name, version))?));
    }
    let sids: Vec<_> = made
        .iter()
        .map(|(half, made)| json!({ "access": half.access().as_str(), "sid": made.token.sid }))
        .collect();
    let audit = granted.audit(
        app,
        Deed {
            action: "legacy.enable",
            subject: account.id.to_string(),
            subject_label: granted.account.name.as_str(),
            before: json!({ "legacy_tokens": account.legacy_tokens }),
            after: json!({ "legacy_tokens": true, "made": sids, "api_version": version }),
        },
    );
    let mut write = Write::new(audit);
    if !account.legacy_tokens {
        account.legacy_tokens = true;
        account.updated_at = app.clock.wall();
        write = write.update_account(&account);
    }
    let new: Vec<&Token> = made.iter().map(|(_, made)| &made.token).collect();
    write = notices::of_pair(app, granted, write, (Event::TokenCreated, &new), Value::Null)?;
    let mut secrets = Vec::with_capacity(made.len());
    for (half, Made { token, secret }) in made {
        write = write.insert_token(&token);
        secrets.push((half, secret));
    }
    let committed = app.commit(write).await?;
    answer(app, granted, committed.seq, secrets).await
}

fn blueprint(half: Half, name: TokenName, api_version: ApiVersion) -> Blueprint {
    Blueprint {
        name,
        description: Description::default(),
        access: match half {
            Half::ReadWrite => Access::ReadWrite,
            Half::ReadOnly => Access::ReadOnly,
        },
        api_version,
        primary_contact: None,
        developer_emails: Vec::new(),
        expires_at: None,
        addresses: AddressList::default(),
        rate_limit: None,
    }
}

/// Names are unique over tokens and legacy credentials alike, and a token may have ours already.
async fn free_name(app: &App, granted: &Granted<ManageLegacy>, half: Half) -> Result<TokenName, Error> {
    let plain = match half {
        Half::ReadWrite => "Legacy read/write",
        Half::ReadOnly => "Legacy read-only",
    };
    for number in 1..=NAMES_MAX {
        let text = if number == 1 { plain.to_owned() } else { format!("{plain} {number}") };
        let name = TokenName::parse(&text).map_err(|error| Error::internal("legacy name", &error))?;
        if app.store.within(granted.account.id).token_by_name(&name).await?.is_none() {
            return Ok(name);
        }
    }
    Err(countersign_store::Conflict::NameTaken.into())
}
