//! Accounts and the switch of their API access.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{
    id::AccountId,
    lifetime::Lifetime,
    name::{EmailAddress, PersonName},
};
use countersign_store::{Account, AccountFilter, AccountState, RevealPolicy};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{
        AsOperator, Body, IfMatch, In, Known, ListPlace, PageParameters, Query, edit_tag, present, search,
    },
    invitations::IssuedView,
    page::PageOf,
    problem::{ChangeProblems, EditProblems, RaceProblems, ReadProblems},
    tokens::request::given_or_null,
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::accounts::{self, AccountEdit},
    rights::{EnableApiAccess, ManageAccount, ViewAccount},
};

const LIST: ListPlace = ListPlace { list: "accounts", account: None };

/// An account: a customer of the platform.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountView {
    /// Its id.
    #[schema(value_type = words::AccountId)]
    id: AccountId,
    /// The operator's own id for it.
    #[schema(value_type = words::ExternalId)]
    external_id: String,
    /// The id of its kind in the catalog.
    #[schema(value_type = words::CatalogId)]
    kind: String,
    /// Its name.
    #[schema(value_type = words::PersonName)]
    name: String,
    /// Active or suspended.
    state: Standing,
    /// Whether API access is on.
    api_access: bool,
    /// Whether the legacy pair is there.
    legacy_tokens: bool,
    /// Whether stored secrets may be shown again.
    reveal: Reveal,
    /// Most tokens it may have.
    token_limit: u32,
    /// The longest life of its tokens, in days from their creation; absent: as the platform says.
    token_lifetime_days: Option<u16>,
    /// Counts the edits: the ETag.
    edit: u64,
    /// When it was created.
    created_at: Moment,
    /// When it was last edited.
    updated_at: Moment,
}

/// An account with what is counted of it.
#[derive(Serialize, ToSchema)]
struct AccountDetail {
    /// The account.
    #[serde(flatten)]
    account: AccountView,
    /// How many tokens it has, legacy credentials not counted.
    token_count: u32,
}

/// A new account, with the invitation of its first administrator.
#[derive(Serialize, ToSchema)]
struct CreatedAccount {
    /// The account.
    account: AccountView,
    /// The one-time link for its first administrator, where one was named.
    invitation: Option<IssuedView>,
}

/// Whether an account works.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountState)]
enum Standing {
    /// It works.
    Active,
    /// Every token of it is denied.
    Suspended,
}

/// Whether stored secrets may be shown again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RevealPolicy)]
enum Reveal {
    /// Sealed and shown on demand.
    Recoverable,
    /// Shown once; only the digest is kept.
    Once,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AccountsQuery {
    /// Part of the name or of the external id, ignoring case.
    #[param(max_length = 100)]
    search: Option<String>,
    /// Of this kind.
    kind: Option<String>,
    /// In this state.
    #[param(inline)]
    state: Option<Standing>,
    /// The `next` of the page before.
    #[param(inline, value_type = Option<words::Cursor>)]
    after: Option<String>,
    /// Rows at most; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// The operator's own id for it; unique.
    #[schema(value_type = words::ExternalId)]
    external_id: String,
    /// The id of its kind in the catalog.
    #[schema(value_type = words::CatalogId)]
    kind: String,
    /// Its name: 1 to 100 characters.
    #[schema(value_type = words::PersonName)]
    name: PersonName,
    /// Whether API access is on from the start; off when absent.
    #[serde(default)]
    api_access: bool,
    /// Most tokens it may have; 1,000 when absent.
    #[schema(maximum = 1_000_000)]
    token_limit: Option<u32>,
    /// The longest life of its tokens, in days from their creation; no longer than the platform's for its kind.
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 3650)]
    token_lifetime_days: Option<Lifetime>,
    /// Whether stored secrets may be shown again; they may when absent.
    reveal: Option<Reveal>,
    /// Who gets an invitation as its first administrator.
    administrator: Option<FirstAdministrator>,
}

/// The first administrator of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirstAdministrator {
    /// Their e-mail address.
    #[schema(value_type = words::EmailAddress)]
    email: EmailAddress,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null are two things in a PATCH")]
struct AccountPatch {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonName>, nullable = false)]
    name: Option<PersonName>,
    /// Whether stored secrets may be shown again. Secrets kept while they could not stay closed for ever.
    reveal: Option<Reveal>,
    /// The longest life of its tokens, in days from their creation; no longer than the platform's for its kind. It
    /// binds the tokens that exist at once; `null`: as the platform says.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 3650)]
    token_lifetime_days: Option<Option<Lifetime>>,
    /// The operator's own id for it. Operators only.
    #[schema(value_type = Option<words::ExternalId>)]
    external_id: Option<String>,
    /// Active or suspended. Operators only.
    state: Option<Standing>,
    /// Most tokens it may have. Operators only.
    #[schema(maximum = 1_000_000)]
    token_limit: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiAccess {
    /// On or off. Off denies every token of the account at once, and deletes none.
    enabled: bool,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_accounts, create_account))
        .routes(routes!(get_account, patch_account))
        .routes(routes!(switch_api_access))
}

impl AccountView {
    /// Renders an account.
    pub(super) fn of(account: &Account) -> Self {
        Self {
            id: account.id,
            external_id: account.external_id.clone(),
            kind: account.kind.clone(),
            name: account.name.as_str().to_owned(),
            state: match account.state {
                AccountState::Active => Standing::Active,
                AccountState::Suspended => Standing::Suspended,
            },
            api_access: account.api_access,
            legacy_tokens: account.legacy_tokens,
            reveal: match account.reveal {
                RevealPolicy::Recoverable => Reveal::Recoverable,
                RevealPolicy::Once => Reveal::Once,
            },
            token_limit: account.token_limit,
            token_lifetime_days: account.token_lifetime.map(Lifetime::days),
            edit: account.edit,
            created_at: account.created_at.into(),
            updated_at: account.updated_at.into(),
        }
    }
}

impl From<Standing> for AccountState {
    fn from(state: Standing) -> Self {
        match state {
            Standing::Active => Self::Active,
            Standing::Suspended => Self::Suspended,
        }
    }
}

impl From<Reveal> for RevealPolicy {
    fn from(reveal: Reveal) -> Self {
        match reveal {
            Reveal::Recoverable => Self::Recoverable,
            Reveal::Once => Self::Once,
        }
    }
}

/// List accounts.
///
/// Operators see all of them, everybody else their own.
#[utoipa::path(get, path = "/accounts", tag = "accounts", params(AccountsQuery),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "Accounts, by name", body = PageOf<AccountView>), ReadProblems))]
async fn list_accounts(
    State(app): State<Arc<App>>,
    Known(caller): Known,
    Query(asked): Query<AccountsQuery>,
) -> Result<Json<PageOf<AccountView>>, Error> {
    let page = PageParameters { after: asked.after, limit: asked.limit }.open(&app, LIST)?;
    let filter =
        AccountFilter { search: search(asked.search)?, kind: asked.kind, state: asked.state.map(Into::into) };
    let found = accounts::list(&app, &caller, &filter, &page).await?;
    PageOf::of(&app, LIST, found, |account| AccountView::of(&account)).map(Json)
}

/// Create an account.
///
/// With the invitation of its first administrator, where one is named. Operators only.
#[utoipa::path(post, path = "/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201, description = "Created", body = CreatedAccount,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ChangeProblems))]
async fn create_account(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(new): Body<NewAccount>,
) -> Result<impl IntoResponse, Error> {
    let new = accounts::NewAccount {
        external_id: new.external_id,
        kind: new.kind,
        name: new.name,
        api_access: new.api_access,
        token_limit: new.token_limit,
        token_lifetime: new.token_lifetime_days,
        reveal: new.reveal.map_or(RevealPolicy::Recoverable, Into::into),
        administrator: new.administrator.map(|administrator| administrator.email),
    };
    let (account, issued) = accounts::create(&app, &operator, new).await?;
    let invitation = issued.map(|issued| IssuedView::of(&app, &issued));
    let created = CreatedAccount { account: AccountView::of(&account), invitation };
    Ok((StatusCode::CREATED, edit_tag(account.edit), Json(created)))
}

/// Show an account.
///
/// With the number of its tokens. Whoever has nothing to do with it finds nothing.
#[utoipa::path(get, path = "/accounts/{account_id}", tag = "accounts",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account")),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "The account; its ETag is for If-Match", body = AccountDetail,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ReadProblems))]
async fn get_account(
    State(app): State<Arc<App>>,
    In(granted): In<ViewAccount>,
) -> Result<impl IntoResponse, Error> {
    let token_count = accounts::token_count(&app, &granted).await?;
    let detail = AccountDetail { account: AccountView::of(&granted.account), token_count };
    Ok((edit_tag(granted.account.edit), Json(detail)))
}

/// Change an account.
///
/// An absent field is unchanged. The external id, the state and the token limit are for operators. Needs
/// `account.manage`.
#[utoipa::path(patch, path = "/accounts/{account_id}", tag = "accounts", request_body = AccountPatch,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the account as it was seen")),
    responses((status = 200, description = "As it is now", body = AccountView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn patch_account(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    IfMatch(seen): IfMatch,
    Body(patch): Body<AccountPatch>,
) -> Result<impl IntoResponse, Error> {
    let edit = AccountEdit {
        name: patch.name,
        reveal: patch.reveal.map(Into::into),
        external_id: patch.external_id,
        state: patch.state.map(Into::into),
        token_lifetime: given_or_null(patch.token_lifetime_days),
        token_limit: patch.token_limit,
    };
    let account = accounts::edit(&app, &granted, seen, edit).await?;
    Ok((edit_tag(account.edit), Json(AccountView::of(&account))))
}

/// Switch API access on or off.
///
/// On: whoever manages the account or its tokens. Off: whoever manages the account; every token is denied at once.
#[utoipa::path(post, path = "/accounts/{account_id}/api-access", tag = "accounts", request_body = ApiAccess,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account")),
    responses((status = 200, description = "As it is now", body = AccountView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), RaceProblems))]
async fn switch_api_access(
    State(app): State<Arc<App>>,
    In(granted): In<EnableApiAccess>,
    Body(asked): Body<ApiAccess>,
) -> Result<impl IntoResponse, Error> {
    let account = if asked.enabled {
        accounts::enable_api_access(&app, &granted).await?
    } else {
        accounts::disable_api_access(&app, &granted.also::<ManageAccount>(&app).await?).await?
    };
    Ok((edit_tag(account.edit), Json(AccountView::of(&account))))
}
