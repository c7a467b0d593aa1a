//! Extractors that prove a right. The refusal of a known caller is audited by the envelope.

use std::{collections::HashMap, sync::Arc};

use axum::{
    RequestPartsExt as _,
    extract::{FromRequestParts, Path},
};
use countersign_model::id::AccountId;
use countersign_store::{Person, Session};
use http::request::Parts;

use super::{super::RequestContext, identity::identify};
use crate::{
    app::App,
    caller::{Caller, Identity},
    error::{Error, Kind},
    rights::{Granted, Operator, Right},
};

/// Anybody who proved who they are.
pub struct Known(pub Caller);

/// A person with a live session.
pub struct SignedIn {
    /// Who.
    pub person: Arc<Person>,
    /// Their session.
    pub session: Arc<Session>,
    /// The call.
    pub caller: Caller,
}

/// Somebody with operator rights.
pub struct AsOperator(pub Operator);

/// Somebody who may do `R` in the account of the path. An account that cannot be is an account that is not there.
pub struct In<R: Right>(pub Granted<R>);

impl FromRequestParts<Arc<App>> for Known {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        identify(parts, app).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let caller = identify(parts, app).await?;
        match &caller.identity {
            Identity::Person { person, session } => {
                Ok(Self { person: Arc::clone(person), session: Arc::clone(session), caller })
            }
            _ => Err(Error::new(Kind::Forbidden, "people_only", "Only a person who signed in may do this.")),
        }
    }
}

impl FromRequestParts<Arc<App>> for AsOperator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        Operator::prove(identify(parts, app).await?).map(Self)
    }
}

impl<R: Right> FromRequestParts<Arc<App>> for In<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let caller = identify(parts, app).await?;
        let granted = match account_of(parts).await {
            Ok(account) => Granted::prove(app, caller, account).await,
            Err(error) => Err(error),
        };
        // An account that is not there and one that is somebody else's are refused, and audited, as one.
        if granted.is_err() {
            RequestContext::of(&parts.extensions)?.note_denied();
        }
        granted.map(Self)
    }
}

async fn account_of(parts: &mut Parts) -> Result<AccountId, Error> {
    let Path(path) =
        parts.extract::<Path<HashMap<String, String>>>().await.map_err(|_| Error::not_found())?;
    path.get("account_id").and_then(|id| id.parse().ok()).ok_or_else(Error::not_found)
}
