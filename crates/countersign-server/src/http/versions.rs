//! `/api/v1/versions`: who still uses which API version. Operators only.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use countersign_model::{api_version::ApiVersion, grant::AccessKind};
use countersign_store::{TokenState, VersionUser};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, ListPlace, PageParameters, Query},
    page::PageOf,
    problem::ReadProblems,
    tokens::answer::TokenContact,
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::versions::{self, VersionAge, VersionReport},
};

const TOKENS: ListPlace = ListPlace { list: "version_tokens", account: None };

/// An API version, and how many are on it.
#[derive(Serialize, ToSchema)]
struct VersionUsage {
    /// The id of the account kind.
    #[schema(value_type = words::CatalogId)]
    kind: String,
    /// The version.
    #[schema(value_type = words::ApiVersion)]
    number: u16,
    /// Where it is in its life.
    state: VersionState,
    /// Whether it is the latest of its kind.
    latest: bool,
    /// When it was published.
    released_at: Option<Moment>,
    /// From when callers are told to move on.
    deprecated_at: Option<Moment>,
    /// From when it is refused.
    sunset_at: Option<Moment>,
    /// Where the change notes are.
    notes_url: Option<String>,
    /// Tokens and legacy credentials on it: whose own version it is, or that were used in it within 30 days.
    tokens: u64,
    /// Those whose own version it is.
    tokens_own: u64,
    /// Those that were used in it within 30 days, whatever their own version.
    tokens_used: u64,
    /// How many accounts they belong to.
    accounts: u64,
}

/// Where an API version is in its life.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum VersionState {
    /// It works, and nobody is told to move on yet.
    Current,
    /// It works, and callers are told to move on.
    Deprecated,
    /// It is refused.
    Retired,
    /// The catalog no longer has it: it is refused, too.
    Unknown,
}

/// A token on a version, and whom to talk to.
#[derive(Serialize, ToSchema)]
struct VersionToken {
    /// Its account.
    account: VersionAccount,
    /// Its id.
    #[schema(value_type = words::TokenId)]
    token_id: String,
    /// Its Account SID.
    #[schema(value_type = words::Sid)]
    sid: String,
    /// Its name.
    #[schema(value_type = words::TokenName)]
    name: String,
    /// `scoped`, or the half of a legacy pair: `read_write`, `read_only`.
    access: &'static str,
    /// Whether it is switched on, whatever its expiry.
    enabled: bool,
    /// Its own version: that of its requests that name none.
    #[schema(value_type = words::ApiVersion)]
    api_version: u16,
    /// When it was last used in the version asked for, to the minute.
    last_used_at: Option<Moment>,
    /// The member who answers for it; absent for legacy credentials.
    primary_contact: Option<TokenContact>,
    /// Addresses that hear of it.
    #[schema(value_type = Vec<words::EmailAddress>, max_items = 20)]
    developer_emails: Vec<String>,
}

/// The account of a token.
#[derive(Serialize, ToSchema)]
struct VersionAccount {
    /// Its id.
    #[schema(value_type = words::AccountId)]
    id: String,
    /// The operator's own id for it.
    #[schema(value_type = words::ExternalId)]
    external_id: String,
    /// Its name.
    #[schema(value_type = words::PersonName)]
    name: String,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_versions)).routes(routes!(list_version_tokens))
}

/// Tell who still uses which API version.
///
/// Every version of every account kind with its dates, and how many tokens and accounts are on it. Operators only.
#[utoipa::path(get, path = "/versions", tag = "versions",
    responses((status = 200, description = "Versions, by kind in the order of the catalog, lowest first; all on one page",
        body = PageOf<VersionUsage>), ReadProblems))]
async fn list_versions(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<Json<PageOf<VersionUsage>>, Error> {
    let reports = versions::report(&app, &operator).await?;
    Ok(Json(PageOf::whole(reports.into_iter().map(VersionUsage::from).collect())))
}

/// List the tokens on an API version.
///
/// With their accounts and contacts, by the name of the account. Operators only.
#[utoipa::path(get, path = "/versions/{kind}/{number}/tokens", tag = "versions",
    params(("kind" = inline(words::CatalogId), Path, description = "The account kind"),
        ("number" = inline(words::ApiVersion), Path, description = "The version"), PageParameters),
    responses((status = 200, description = "Tokens whose own version it is, or that were used in it within 30 days",
        body = PageOf<VersionToken>), ReadProblems))]
async fn list_version_tokens(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path((kind, number)): Path<(String, String)>,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<VersionToken>>, Error> {
    let version = ApiVersion::parse(&number).ok_or_else(Error::not_found)?;
    let page = page.open(&app, TOKENS)?;
    let found = versions::tokens(&app, &operator, (&kind, version), &page).await?;
    PageOf::of(&app, TOKENS, found, VersionToken::from).map(Json)
}

impl From<VersionReport> for VersionUsage {
    fn from(report: VersionReport) -> Self {
        let plan = report.plan;
        let moment = |pick: fn(&countersign_model::api_version::VersionPlan) -> Option<_>| {
            plan.as_ref().and_then(pick).map(Moment)
        };
        Self {
            number: report.count.api_version.0,
            state: match report.age {
                VersionAge::Current => VersionState::Current,
                VersionAge::Deprecated => VersionState::Deprecated,
                VersionAge::Retired => VersionState::Retired,
                VersionAge::Unknown => VersionState::Unknown,
            },
            latest: report.latest,
            released_at: moment(|plan| plan.released_at),
            deprecated_at: moment(|plan| plan.deprecated_at),
            sunset_at: moment(|plan| plan.sunset_at),
            tokens: report.count.tokens,
            tokens_own: report.count.own,
            tokens_used: report.count.used,
            accounts: report.count.accounts,
            kind: report.count.kind,
            notes_url: plan.and_then(|plan| plan.notes_url),
        }
    }
}

impl From<VersionUser> for VersionToken {
    fn from(user: VersionUser) -> Self {
        Self {
            account: VersionAccount {
                id: user.account.to_string(),
                external_id: user.external_id,
                name: user.account_name,
            },
            token_id: user.token.to_string(),
            sid: user.sid.to_string(),
            name: user.name,
            access: AccessKind::as_str(user.access),
            enabled: user.state == TokenState::Enabled,
            api_version: user.api_version.0,
            last_used_at: user.used_at.map(Moment),
            primary_contact: user.contact.map(|(id, name, email)| TokenContact {
                id: id.to_string(),
                name,
                email: email.to_string(),
            }),
            developer_emails: user.developer_emails.iter().map(ToString::to_string).collect(),
        }
    }
}
