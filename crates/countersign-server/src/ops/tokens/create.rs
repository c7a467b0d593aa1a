//! Makes tokens. Every way a token of today comes to be, but import, ends in `insert` here.

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    catalog::Catalog,
    event::Event,
    grant::Access,
    id::UserId,
    name::{Description, EmailAddress, TokenName},
    rate::RateLimit,
    secret::Secret,
    sid::Sid,
    time::Timestamp,
};
use countersign_store::{Account, Remembered, Token, TokenState, Write};
use serde_json::Value;

use super::{
    Answer, NewToken, deed, draft, facts,
    lifetimes::{self, read_expiry},
    reach, view,
};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::{
        addresses,
        idempotency::{Asked, Idempotency, replay},
        notices,
        secrets::{self, Shown},
    },
    rights::{CreateTokens, Granted, Right, Standing},
};

/// What a new token is to be, in words that were checked.
pub(in crate::ops) struct Blueprint {
    pub(in crate::ops) name: TokenName,
    pub(in crate::ops) description: Description,
    pub(in crate::ops) access: Access,
    pub(in crate::ops) api_version: ApiVersion,
    pub(in crate::ops) primary_contact: Option<UserId>,
    pub(in crate::ops) developer_emails: Vec<EmailAddress>,
    pub(in crate::ops) expires_at: Option<Timestamp>,
    pub(in crate::ops) addresses: AddressList,
    pub(in crate::ops) rate_limit: Option<RateLimit>,
}

/// A token that is not kept yet, and its secret.
pub(in crate::ops) struct Made {
    pub(in crate::ops) token: Token,
    pub(in crate::ops) secret: Secret,
}

/// Makes a token. Answers it with its secret.
pub async fn create(
    app: &App,
    granted: &Granted<CreateTokens>,
    new: NewToken,
    idempotency: &Idempotency,
) -> Result<Answer, Error> {
    let asked = idempotency.asked(granted, "token.create");
    if let Some(earlier) = asked.earlier(app).await? {
        return replayed(app, granted, &earlier).await;
    }
    require_api_access(&granted.account)?;
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let (kind_index, kind) = deed::kind_of(&catalog, &granted.account)?;
    let allowed = lifetimes::of(&catalog, &granted.account);
    let blueprint = Blueprint {
        name: new.name,
        description: new.description,
        access: Access::Scoped(draft::read_scopes(&catalog, kind_index, &new.scopes, None)?),
        api_version: deed::choose_version(kind, new.api_version, now)?,
        primary_contact: Some(new.primary_contact),
        developer_emails: draft::read_developer_emails(new.developer_emails)?,
        expires_at: new.expires_at.map(|at| read_expiry(at, now, (now, allowed))).transpose()?,
        addresses: new.addresses,
        rate_limit: new.rate_limit,
    };
    let made = make(app, granted, kind.code, blueprint)?;
    insert(app, granted, (&catalog, "token.create", Value::Null), made, &asked).await
}

/// Refuses to make tokens that could not be used.
pub(in crate::ops) fn require_api_access(account: &Account) -> Result<(), Error> {
    if account.api_access {
        return Ok(());
    }
    let detail =
        "API access of the account is off; switch it on first (Enable API access), then make tokens.";
    Err(Error::new(Kind::Conflict, "api_access_off", detail))
}

/// Gives a blueprint an id, a SID, a secret and a maker.
pub(in crate::ops) fn make<R: Right>(
    app: &App,
    granted: &Granted<R>,
    kind_code: [u8; 2],
    blueprint: Blueprint,
) -> Result<Made, Error> {
    let now = app.clock.wall();
    let id = app.random.id(now)?;
    let minted = secrets::mint(app, &granted.account, id, 1, now)?;
    let actor = granted.actor();
    let made_by = match &granted.standing {
        Standing::Token(maker) => Some(maker.id),
        Standing::Member(_) | Standing::Operator => None,
    };
    let token = Token {
        id,
        account: granted.account.id,
        sid: Sid::mint(kind_code, app.random.bytes()?),
        name: blueprint.name,
        description: blueprint.description,
        access: blueprint.access,
        api_version: blueprint.api_version,
        primary_contact: blueprint.primary_contact,
        developer_emails: blueprint.developer_emails,
        state: TokenState::Enabled,
        expires_at: blueprint.expires_at,
        addresses: blueprint.addresses,
        rate_limit: blueprint.rate_limit,
        access_tokens_from: None,
        secrets: vec![minted.kept],
        made_by,
        edit: 1,
        created_at: now,
        created_by: actor,
        updated_at: now,
        updated_by: actor,
        last_used_at: None,
        last_used_from: None,
    };
    Ok(Made { token, secret: minted.clear })
}

/// Keeps a made token, unless it would exceed its maker. `action` and `before` are what the audit trail keeps.
pub(in crate::ops) async fn insert<R: Right>(
    app: &App,
    granted: &Granted<R>,
    (catalog, action, before): (&Catalog, &'static str, Value),
    made: Made,
    asked: &Asked<'_>,
) -> Result<Answer, Error> {
    let Made { token, secret } = made;
    reach::require(granted, catalog, &token)?;
    let told = deed::told(granted, action, &token, (before, facts::facts(catalog, &token)));
    let mut write = asked.remember(Write::new(granted.audit(app, told)), app, &token);
    if let Some(maker) = token.made_by {
        // A maker that was disabled while its request was on the way leaves nothing behind.
        write = write.require_enabled(token.account, maker);
    }
    let write = notices::of_token(app, granted, write, (Event::TokenCreated, &token), Value::Null)?;
    let write = addresses::asking(app, granted, write, &token.developer_emails).await?;
    match app.commit(write.insert_token(&token)).await {
        Ok(committed) => Ok(Answer {
            view: view::view(app, &granted.account, token).await?,
            seq: committed.seq,
            shown: Some(Shown::Secret(secret)),
            made_by_it: Vec::new(),
        }),
        Err(error) if asked.lost_race(&error) => match asked.earlier(app).await? {
            Some(earlier) => replayed(app, granted, &earlier).await,
            None => Err(error),
        },
        Err(error) if error.kind == Kind::Stale => Err(Error::new(
            Kind::Forbidden,
            "token_disabled",
            "The calling token was disabled while it made another; nothing was made.",
        )),
        Err(error) => Err(error),
    }
}

/// The answer to a request that was answered before.
pub(in crate::ops) async fn replayed<R: Right>(
    app: &App,
    granted: &Granted<R>,
    earlier: &Remembered,
) -> Result<Answer, Error> {
    let (token, shown) = replay(app, granted, earlier).await?;
    deed::settle(app).await?;
    Ok(Answer {
        view: view::view(app, &granted.account, token).await?,
        seq: app.verifier.applied(),
        shown: Some(shown),
        made_by_it: Vec::new(),
    })
}
