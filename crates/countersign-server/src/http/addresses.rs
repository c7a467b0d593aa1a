//! Addresses that are told of tokens: how they stand, asking them, and what they answer by the links of their letters.

use std::sync::Arc;

use axum::{Json, extract::State};
use countersign_model::name::EmailAddress;
use countersign_store::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::{
    Moment,
    extract::{Body, In, ListPlace, PageParameters, Query, SameOrigin},
    page::PageOf,
    problem::{ChangeProblems, ReadProblems},
    session::Visiting,
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::addresses,
    rights::{EditTokens, ViewTokens},
};

/// An address outside of the members that is named on tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct AddressView {
    /// The address.
    #[schema(value_type = words::EmailAddress)]
    email: String,
    /// `unconfirmed`: not yet told of anything; `confirmed`: told; `bounced`: a mail server refused it for good.
    #[schema(value_type = words::AddressState)]
    state: &'static str,
    /// When it was asked last; null where it was not asked yet.
    asked_at: Option<Moment>,
    /// When it said yes.
    confirmed_at: Option<Moment>,
    /// When a mail server refused it.
    bounced_at: Option<Moment>,
    /// What that mail server said.
    reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskAddress {
    /// The address, as it stands on a token.
    #[schema(value_type = words::EmailAddress)]
    email: EmailAddress,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmAddress {
    /// The code behind `#` of the link.
    #[schema(value_type = words::OneTimeCode)]
    code: Zeroizing<String>,
}

/// What is confirmed now.
#[derive(Serialize, ToSchema)]
struct ConfirmedAddress {
    /// The address.
    #[schema(value_type = words::EmailAddress)]
    email: String,
    /// The name of the account whose tokens it is told of.
    account: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubscriptionLink {
    /// The code behind `#` of the link.
    #[schema(value_type = words::SubscriptionCode)]
    code: String,
}

/// Whether letters that are not about security go to an address.
#[derive(Serialize, ToSchema)]
struct Subscription {
    /// The address, in small letters.
    email: String,
    /// Whether they do.
    subscribed: bool,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_addresses))
        .routes(routes!(ask_address))
        .routes(routes!(confirm_address))
        .routes(routes!(unsubscribe_address))
        .routes(routes!(resubscribe_address))
}

impl AddressView {
    fn of(address: &Address) -> Self {
        Self {
            email: address.email.as_str().to_owned(),
            state: address.state.as_str(),
            asked_at: address.asked_at.map(Moment::from),
            confirmed_at: address.confirmed_at.map(Moment::from),
            bounced_at: address.bounced_at.map(Moment::from),
            reason: address.reason.clone(),
        }
    }
}

/// List the developer addresses of an account.
///
/// Those outside of the members, in the order of the alphabet, with what they said to being asked.
#[utoipa::path(get, path = "/accounts/{account_id}/addresses", tag = "addresses",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"), PageParameters),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "Addresses", body = PageOf<AddressView>), ReadProblems))]
async fn list_addresses(
    State(app): State<Arc<App>>,
    In(granted): In<ViewTokens>,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<AddressView>>, Error> {
    let place = ListPlace { list: "addresses", account: Some(granted.account.id) };
    let found = addresses::list(&app, &granted, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |address| AddressView::of(&address)).map(Json)
}

/// Ask a developer address again.
///
/// A letter with a link goes to it; a former link no longer works. At most once in 24 hours.
#[utoipa::path(post, path = "/accounts/{account_id}/addresses/ask", tag = "addresses", request_body = AskAddress,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account")),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "Asked", body = AddressView), ChangeProblems))]
async fn ask_address(
    State(app): State<Arc<App>>,
    In(granted): In<EditTokens>,
    Body(ask): Body<AskAddress>,
) -> Result<Json<AddressView>, Error> {
    let asked = addresses::ask_again(&app, &granted, &ask.email).await?;
    Ok(Json(AddressView::of(&asked)))
}

/// Confirm an address.
///
/// Whoever reads the letter says yes with the code of its link, and is told of what happens from then on. Needs
/// `Sec-Fetch-Site: same-origin`, or an `Origin` equal to the public URL.
#[utoipa::path(post, path = "/addresses/confirm", tag = "addresses", request_body = ConfirmAddress, security(()),
    responses((status = 200, description = "Confirmed", body = ConfirmedAddress), ChangeProblems))]
async fn confirm_address(
    State(app): State<Arc<App>>,
    _: SameOrigin,
    Visiting(visitor): Visiting,
    Body(confirm): Body<ConfirmAddress>,
) -> Result<Json<ConfirmedAddress>, Error> {
    let confirmed = addresses::confirm(&app, &visitor, &confirm.code).await?;
    Ok(Json(ConfirmedAddress { email: confirmed.email.as_str().to_owned(), account: confirmed.account }))
}

/// End letters that are not about security.
///
/// With the code of the link at the end of such a letter. Needs `Sec-Fetch-Site: same-origin`, or an `Origin` equal to
/// the public URL.
#[utoipa::path(post, path = "/addresses/unsubscribe", tag = "addresses", request_body = SubscriptionLink, security(()),
    responses((status = 200, description = "Ended", body = Subscription), ChangeProblems))]
async fn unsubscribe_address(
    State(app): State<Arc<App>>,
    _: SameOrigin,
    Visiting(visitor): Visiting,
    Body(body): Body<SubscriptionLink>,
) -> Result<Json<Subscription>, Error> {
    let email = addresses::unsubscribe(&app, &visitor, &body.code).await?;
    Ok(Json(Subscription { email, subscribed: false }))
}

/// Let letters that are not about security come again.
///
/// With the code of the link that ended them. Needs `Sec-Fetch-Site: same-origin`, or an `Origin` equal to the public
/// URL.
#[utoipa::path(post, path = "/addresses/resubscribe", tag = "addresses", request_body = SubscriptionLink, security(()),
    responses((status = 200, description = "They come again", body = Subscription), ChangeProblems))]
async fn resubscribe_address(
    State(app): State<Arc<App>>,
    _: SameOrigin,
    Visiting(visitor): Visiting,
    Body(body): Body<SubscriptionLink>,
) -> Result<Json<Subscription>, Error> {
    let email = addresses::resubscribe(&app, &visitor, &body.code).await?;
    Ok(Json(Subscription { email, subscribed: true }))
}
