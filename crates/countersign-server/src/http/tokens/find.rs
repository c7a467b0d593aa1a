//! One token by its Account SID, for operators.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use countersign_model::{grant::AccessKind, sid::Sid};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Token;
use crate::{
    app::App,
    error::Error,
    http::{extract::AsOperator, problem::ReadProblems, words},
    ops::tokens,
};

/// A token and whose it is.
#[derive(Serialize, ToSchema)]
pub struct FoundToken {
    /// The account's id.
    #[schema(value_type = words::AccountId)]
    account_id: String,
    /// What it is.
    access: AccessShown,
    /// The token, without its secret.
    token: Token,
}

/// What a credential is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessShown {
    /// A token of today.
    Scoped,
    /// The read/write half of a legacy pair.
    ReadWrite,
    /// The read-only half of a legacy pair.
    ReadOnly,
}

/// Find a token by its Account SID.
///
/// A legacy credential, too, and whose it is. Operators only.
#[utoipa::path(
    get,
    path = "/tokens/{sid}",
    tag = "tokens",
    params(("sid" = inline(words::Sid), Path, description = "The Account SID.")),
    responses((status = 200, description = "The token and whose it is.", body = FoundToken), ReadProblems)
)]
pub(super) async fn find_token(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(sid): Path<String>,
) -> Result<Json<FoundToken>, Error> {
    let sid: Sid = sid.parse().map_err(|_| Error::not_found())?;
    let found = tokens::find(&app, &operator, &sid).await?;
    Ok(Json(FoundToken {
        account_id: found.account.to_string(),
        access: match found.access {
            AccessKind::Scoped => AccessShown::Scoped,
            AccessKind::ReadWrite => AccessShown::ReadWrite,
            AccessKind::ReadOnly => AccessShown::ReadOnly,
        },
        token: found.view.into(),
    }))
}
