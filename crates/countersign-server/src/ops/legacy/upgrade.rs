//! Raises the API version of the pair.

use countersign_model::{api_version::ApiVersion, event::Event};
use countersign_store::{Token, Write};
use serde_json::json;

use super::{LegacyAnswer, answer, pair};
use crate::{
    app::App,
    caller::Deed,
    error::Error,
    ops::{
        notices,
        tokens::{deed, upgrade::raised},
    },
    rights::{Granted, ManageLegacy},
};

/// Raises the version of both credentials, to the latest where none is named. One that an import brought in on a higher
/// version already keeps it.
pub async fn upgrade(
    app: &App,
    granted: &Granted<ManageLegacy>,
    wanted: Option<ApiVersion>,
) -> Result<LegacyAnswer, Error> {
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt(app, granted, wanted).await {
            Err(error) if attempts.again(deed::is_stale(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(
    app: &App,
    granted: &Granted<ManageLegacy>,
    wanted: Option<ApiVersion>,
) -> Result<LegacyAnswer, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let (_, kind) = deed::kind_of(&catalog, &granted.account)?;
    let pair = pair(app, granted).await?;
    let present = pair.iter().map(|token| token.api_version).min().unwrap_or_else(|| kind.latest());
    let version = raised(kind, present, wanted, now)?;
    let lower: Vec<_> = pair.into_iter().filter(|token| token.api_version < version).collect();
    let before: Vec<_> =
        lower.iter().map(|token| json!({ "sid": token.sid, "api_version": token.api_version })).collect();
    let audit = granted.audit(
        app,
        Deed {
            action: "legacy.upgrade",
            subject: granted.account.id.to_string(),
            subject_label: granted.account.name.as_str(),
            before: json!(before),
            after: json!({ "api_version": version }),
        },
    );
    let raised: Vec<&Token> = lower.iter().collect();
    let more = json!({ "changed": ["api_version"], "from_version": present, "to_version": version });
    let mut write = notices::of_pair(app, granted, Write::new(audit), (Event::TokenChanged, &raised), more)?;
    for mut token in lower {
        token.api_version = version;
        deed::stamp(&mut token, granted, now);
        write = write.update_token(&token);
    }
    let committed = app.commit(write).await?;
    answer(app, granted, committed.seq, Vec::new()).await
}
