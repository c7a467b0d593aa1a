//! Raises the API version of a token.

use countersign_model::{api_version::ApiVersion, catalog::AccountKind, id::TokenId, time::Timestamp};

use super::{Answer, deed, edit::put, facts, reach};
use crate::{
    app::App,
    error::{Error, Kind},
    rights::{EditTokens, Granted},
};

/// Raises the version of a token, to the latest where none is named.
pub async fn upgrade(
    app: &App,
    granted: &Granted<EditTokens>,
    id: TokenId,
    wanted: Option<ApiVersion>,
) -> Result<Answer, Error> {
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt(app, granted, id, wanted).await {
            Err(error) if attempts.again(deed::is_stale(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(
    app: &App,
    granted: &Granted<EditTokens>,
    id: TokenId,
    wanted: Option<ApiVersion>,
) -> Result<Answer, Error> {
    let catalog = app.catalog()?;
    let (_, kind) = deed::kind_of(&catalog, &granted.account)?;
    let before = deed::find(app, granted, id).await?;
    reach::require(granted, &catalog, &before)?;
    let mut after = before.clone();
    after.api_version = raised(kind, before.api_version, wanted, app.clock.wall())?;
    let changes = facts::changes(&catalog, &before, &after);
    put(app, granted, "token.upgrade", (&before, after), changes).await
}

/// The version above the present one that is asked for.
pub(in crate::ops) fn raised(
    kind: &AccountKind,
    present: ApiVersion,
    wanted: Option<ApiVersion>,
    now: Timestamp,
) -> Result<ApiVersion, Error> {
    if present >= kind.latest() {
        let detail = format!("The version is {present} already, and there is none above it.");
        return Err(Error::new(Kind::Conflict, "api_version_latest", detail));
    }
    let version = deed::choose_version(kind, wanted, now)?;
    if version > present {
        return Ok(version);
    }
    Err(Error::invalid(
        "api_version",
        format!("it is {present} and can only go up; choose a version above it"),
    ))
}
