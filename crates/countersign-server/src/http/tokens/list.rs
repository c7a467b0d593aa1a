//! Lists and shows tokens.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{id::OfToken, limits::NAME_CHARS_MAX};
use countersign_store::TokenCounts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Token, TokenSummary};
use crate::{
    app::App,
    error::{Error, Kind},
    http::{
        extract::{Id, In, ListPlace, PageParameters, Query, edit_tag, seal_cursor},
        problem::ReadProblems,
        words,
    },
    ops::tokens::{self, Created, ListAsk, StateAsk},
    rights::ViewTokens,
};

/// Which tokens are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTokens {
    /// Part of the name, or four characters and more of the SID, ignoring case.
    #[param(max_length = 100)]
    name: Option<String>,
    /// When they were created.
    #[param(inline)]
    created: Option<CreatedAsk>,
    /// Their state.
    #[param(inline)]
    state: Option<StateFilter>,
    /// By who would hear of what happens to them.
    #[param(inline)]
    heard: Option<HeardFilter>,
    /// The `next` of the page before.
    #[param(inline, value_type = Option<words::Cursor>)]
    after: Option<String>,
    /// Rows at most; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// When tokens were created.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
pub enum CreatedAsk {
    /// In the last 7 days.
    #[serde(rename = "last_7_days")]
    LastWeek,
    /// In the last 30 days.
    #[serde(rename = "last_30_days")]
    LastMonth,
    /// Before that.
    #[serde(rename = "more_than_30_days")]
    Earlier,
}

/// The state of tokens.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateFilter {
    /// They work.
    Enabled,
    /// They are switched off, expired or not.
    Disabled,
    /// They are switched on, and their time is over.
    Expired,
    /// They work, and end within 30 days.
    Expiring,
}

/// Who would hear of what happens to a token.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeardFilter {
    /// Nobody: no primary contact who may sign in and whose address works, and no developer address that said yes.
    Nobody,
}

/// How many tokens an account has, whatever page and filters are asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenTotals {
    /// All of them; legacy credentials are not counted.
    all: u32,
    /// Those that work.
    enabled: u32,
    /// Those that are switched off, expired or not.
    disabled: u32,
    /// Those that are switched on and whose time is over.
    expired: u32,
    /// Those that work and end within 30 days.
    expiring: u32,
}

/// A page of tokens, newest first.
#[derive(Serialize, ToSchema)]
pub struct TokenPage {
    /// The tokens.
    #[schema(max_items = 200)]
    items: Vec<TokenSummary>,
    /// What to send as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::Cursor>)]
    next: Option<String>,
    /// How many the account has.
    totals: TokenTotals,
}

/// List the tokens of an account.
///
/// Newest first, without secrets. Needs `tokens.view`.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/tokens",
    tag = "tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account."), ListTokens),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "A page of tokens, without secrets.", body = TokenPage), ReadProblems)
)]
pub(super) async fn list_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ViewTokens>,
    Query(query): Query<ListTokens>,
) -> Result<Json<TokenPage>, Error> {
    let place = ListPlace { list: "tokens", account: Some(granted.account.id) };
    let page = PageParameters { after: query.after, limit: query.limit }.open(&app, place)?;
    if query.name.as_ref().is_some_and(|name| name.chars().count() > NAME_CHARS_MAX) {
        let detail = format!(
            "The parameter `name` has more than {NAME_CHARS_MAX} characters; no name and no SID has."
        );
        return Err(Error::new(Kind::Malformed, "query_invalid", detail).at_field("name"));
    }
    let ask = ListAsk {
        name: query.name.filter(|name| !name.is_empty()),
        created: query.created.map(|created| match created {
            CreatedAsk::LastWeek => Created::LastWeek,
            CreatedAsk::LastMonth => Created::LastMonth,
            CreatedAsk::Earlier => Created::Earlier,
        }),
        state: query.state.map(|state| match state {
            StateFilter::Enabled => StateAsk::Enabled,
            StateFilter::Disabled => StateAsk::Disabled,
            StateFilter::Expired => StateAsk::Expired,
            StateFilter::Expiring => StateAsk::Expiring,
        }),
        nobody_hears: matches!(query.heard, Some(HeardFilter::Nobody)),
    };
    let found = tokens::list(&app, &granted, ask, &page).await?;
    let items = found.page.rows.into_iter().map(TokenSummary::from).collect();
    let totals = found.totals.into();
    Ok(Json(TokenPage { items, next: seal_cursor(&app, place, found.page.next)?, totals }))
}

impl From<TokenCounts> for TokenTotals {
    fn from(counts: TokenCounts) -> Self {
        let TokenCounts { total, disabled, expired, expiring } = counts;
        Self { all: total, enabled: total.saturating_sub(disabled + expired), disabled, expired, expiring }
    }
}

/// Show a token.
///
/// Without its secret. Needs `tokens.view`.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/tokens/{token_id}",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
    ),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token.", body = Token,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        ReadProblems
    )
)]
pub(super) async fn get_token(
    State(app): State<Arc<App>>,
    In(granted): In<ViewTokens>,
    Id(id): Id<OfToken>,
) -> Result<impl IntoResponse, Error> {
    let view = tokens::get(&app, &granted, id).await?;
    Ok((edit_tag(view.token.edit), Json(Token::from(view))))
}
