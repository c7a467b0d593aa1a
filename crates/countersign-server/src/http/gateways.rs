//! Gateways: who may ask for decisions.

use std::{fmt, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    response::IntoResponse,
};
use countersign_model::id::GatewayId;
use countersign_store::Gateway;
use http::StatusCode;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IntoDeserializer as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Body, IfMatch, NoBody, edit_tag, present},
    page::PageOf,
    problem::{EditProblems, RaceProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    node::{GatewayProfile, Recipe},
    ops::gateways::{self, GatewayEdit, NewGateway as New},
};

/// A gateway.
#[derive(Serialize, ToSchema)]
struct GatewayView {
    /// Its id.
    #[schema(value_type = words::GatewayId)]
    id: GatewayId,
    /// Its name, in the URL of its door.
    #[schema(value_type = words::MachineName)]
    name: String,
    /// Last four characters of its credential.
    credential_last4: String,
    /// From where it may call; empty: from everywhere.
    #[schema(value_type = Vec<words::Network>, max_items = 50)]
    peers: Vec<String>,
    /// Where it says what.
    profile: ProfileView,
    /// The back end its signed assertions are addressed to; `null`: it gets none.
    assertion_audience: Option<String>,
    /// Counts the edits: the ETag.
    edit: u64,
    /// When it was created.
    created_at: Moment,
}

/// A gateway with its credential.
#[derive(Serialize, ToSchema)]
struct GatewayWithCredential {
    /// The gateway.
    gateway: GatewayView,
    /// Its credential for `X-Countersign-Gateway`: in this answer and nowhere else.
    credential: String,
}

/// Where a gateway says what. Everything else a question says is ignored. What has no header is read from the question
/// itself: over HTTP its method, what follows the gateway's name in its path, and its host; over gRPC the attributes.
#[derive(Serialize, ToSchema)]
struct ProfileView {
    /// The configuration we ship that speaks like this; `null`: one of your own.
    #[schema(value_type = Option<words::Recipe>)]
    recipe: Option<Recipe>,
    /// The header with the original method; `null`: the question's own.
    #[schema(value_type = Option<words::HeaderName>)]
    method_header: Option<String>,
    /// The header with the original URI; `null`: the question's own.
    #[schema(value_type = Option<words::HeaderName>)]
    uri_header: Option<String>,
    /// The header with the original host; `null`: the question's own.
    #[schema(value_type = Option<words::HeaderName>)]
    host_header: Option<String>,
    /// The header with the client's address.
    #[schema(value_type = words::HeaderName)]
    address_header: String,
    /// How many addresses from the right of that list the gateway's own proxies wrote: 1 takes the last.
    #[schema(minimum = 1, maximum = 10)]
    address_hops: u8,
}

/// A profile of your own. What is left out is read from the question itself: over HTTP its method, what follows the
/// gateway's name in its path, and its host; over gRPC the attributes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustomProfile {
    /// The header with the original method, lower case.
    #[schema(value_type = Option<words::HeaderName>)]
    method_header: Option<String>,
    /// The header with the original URI, lower case.
    #[schema(value_type = Option<words::HeaderName>)]
    uri_header: Option<String>,
    /// The header with the original host, lower case.
    #[schema(value_type = Option<words::HeaderName>)]
    host_header: Option<String>,
    /// The header with the client's address, lower case.
    #[schema(value_type = words::HeaderName)]
    address_header: String,
    /// How many addresses from the right of that list the gateway's own proxies wrote: 1 takes the last.
    #[schema(minimum = 1, maximum = 10)]
    address_hops: u8,
}

/// A profile we ship, by name, or one of your own.
#[derive(ToSchema)]
#[serde(untagged)]
enum ProfileChoice {
    /// By name.
    #[schema(value_type = words::Recipe)]
    Shipped(Recipe),
    /// Your own.
    Custom(CustomProfile),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGateway {
    /// Its name: 1 to 40 characters of a-z, 0-9 and `-`.
    #[schema(value_type = words::MachineName)]
    name: String,
    /// From where it may call; from everywhere when absent.
    #[serde(default)]
    #[schema(value_type = Vec<words::Network>, max_items = 50)]
    peers: Vec<String>,
    /// How it speaks; `nginx` when absent.
    profile: Option<ProfileChoice>,
    /// The back end its signed assertions are to be addressed to: `orders`, or its URL. None when absent: it gets none.
    #[serde(default)]
    #[schema(value_type = Option<words::Audience>)]
    assertion_audience: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null are two things in a PATCH")]
struct GatewayPatch {
    /// From where it may call; empty: from everywhere.
    #[schema(value_type = Option<Vec<words::Network>>, max_items = 50)]
    peers: Option<Vec<String>>,
    /// How it speaks.
    profile: Option<ProfileChoice>,
    /// The back end its signed assertions are addressed to; `null`: it gets none any more.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<words::Audience>)]
    assertion_audience: Option<Option<String>>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_gateways, create_gateway))
        .routes(routes!(get_gateway, patch_gateway, delete_gateway))
        .routes(routes!(reset_gateway))
}

/// By hand, because serde's own reader of untagged choices takes a list for the fields of a structure.
impl<'de> Deserialize<'de> for ProfileChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ProfileVisitor)
    }
}

struct ProfileVisitor;

impl<'de> Visitor<'de> for ProfileVisitor {
    type Value = ProfileChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a profile, or a JSON object with names for its fields")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<ProfileChoice, E> {
        Recipe::deserialize(name.into_deserializer()).map(ProfileChoice::Shipped)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<ProfileChoice, A::Error> {
        CustomProfile::deserialize(MapAccessDeserializer::new(fields)).map(ProfileChoice::Custom)
    }
}

impl From<ProfileChoice> for GatewayProfile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Shipped(recipe) => recipe.profile(),
            ProfileChoice::Custom(custom) => Self {
                recipe: None,
                method_header: custom.method_header,
                uri_header: custom.uri_header,
                host_header: custom.host_header,
                address_header: custom.address_header,
                address_hops: custom.address_hops,
            },
        }
    }
}

impl From<GatewayProfile> for ProfileView {
    fn from(profile: GatewayProfile) -> Self {
        Self {
            recipe: profile.recipe,
            method_header: profile.method_header,
            uri_header: profile.uri_header,
            host_header: profile.host_header,
            address_header: profile.address_header,
            address_hops: profile.address_hops,
        }
    }
}

fn view(gateway: &Gateway) -> Result<GatewayView, Error> {
    Ok(GatewayView {
        id: gateway.id,
        name: gateway.name.clone(),
        credential_last4: gateway.last4.clone(),
        peers: gateway.peers.iter().map(ToString::to_string).collect(),
        profile: gateways::profile(gateway)?.into(),
        assertion_audience: gateway.assertion_audience.clone(),
        edit: gateway.edit,
        created_at: gateway.created_at.into(),
    })
}

/// List gateways.
///
/// All of them, by name, without credentials. Operators only.
#[utoipa::path(get, path = "/gateways", tag = "gateways",
    responses((status = 200, description = "All of them, by name", body = PageOf<GatewayView>), ReadProblems))]
async fn list_gateways(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<Json<PageOf<GatewayView>>, Error> {
    let all = gateways::list(&app, &operator).await?;
    Ok(Json(PageOf::whole(all.iter().map(view).collect::<Result<_, _>>()?)))
}

/// Create a gateway.
///
/// Its credential is shown once. Operators only.
#[utoipa::path(post, path = "/gateways", tag = "gateways", request_body = NewGateway,
    responses((status = 201, description = "Created; its credential is shown once", body = GatewayWithCredential,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), RaceProblems))]
async fn create_gateway(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(new): Body<NewGateway>,
) -> Result<impl IntoResponse, Error> {
    let profile = new.profile.map_or_else(|| Recipe::Nginx.profile(), Into::into);
    let new = New { name: new.name, peers: new.peers, profile, assertion_audience: new.assertion_audience };
    let (gateway, secret) = gateways::create(&app, &operator, new).await?;
    let created = GatewayWithCredential { gateway: view(&gateway)?, credential: secret.expose().to_owned() };
    Ok((StatusCode::CREATED, edit_tag(gateway.edit), Json(created)))
}

/// Show a gateway.
///
/// Without its credential. Operators only.
#[utoipa::path(get, path = "/gateways/{name}", tag = "gateways",
    params(("name" = inline(words::MachineName), Path, description = "Name of the gateway")),
    responses((status = 200, description = "The gateway; its ETag is for If-Match", body = GatewayView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ReadProblems))]
async fn get_gateway(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let gateway = gateways::find(&app, &operator, &name).await?;
    Ok((edit_tag(gateway.edit), Json(view(&gateway)?)))
}

/// Change a gateway.
///
/// From where it may call, and how it speaks. An absent field is unchanged. Operators only.
#[utoipa::path(patch, path = "/gateways/{name}", tag = "gateways", request_body = GatewayPatch,
    params(("name" = inline(words::MachineName), Path, description = "Name of the gateway"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the gateway as it was seen")),
    responses((status = 200, description = "As it is now", body = GatewayView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn patch_gateway(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(name): Path<String>,
    IfMatch(seen): IfMatch,
    Body(patch): Body<GatewayPatch>,
) -> Result<impl IntoResponse, Error> {
    let edit = GatewayEdit {
        peers: patch.peers,
        profile: patch.profile.map(Into::into),
        assertion_audience: patch.assertion_audience,
    };
    let gateway = gateways::edit(&app, &operator, &name, seen, edit).await?;
    Ok((edit_tag(gateway.edit), Json(view(&gateway)?)))
}

/// Delete a gateway.
///
/// It is not answered from now on. Operators only.
#[utoipa::path(delete, path = "/gateways/{name}", tag = "gateways",
    params(("name" = inline(words::MachineName), Path, description = "Name of the gateway")),
    responses((status = 204, description = "It is deleted"), RaceProblems))]
async fn delete_gateway(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(name): Path<String>,
) -> Result<StatusCode, Error> {
    gateways::delete(&app, &operator, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a gateway a new credential.
///
/// It is shown once; the old one fails from now on. Operators only.
#[utoipa::path(post, path = "/gateways/{name}/reset", tag = "gateways",
    params(("name" = inline(words::MachineName), Path, description = "Name of the gateway")),
    responses((status = 200, description = "Its new credential, shown once", body = GatewayWithCredential,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), RaceProblems))]
async fn reset_gateway(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(name): Path<String>,
    _: NoBody,
) -> Result<impl IntoResponse, Error> {
    let (gateway, secret) = gateways::reset(&app, &operator, &name).await?;
    let reset = GatewayWithCredential { gateway: view(&gateway)?, credential: secret.expose().to_owned() };
    Ok((edit_tag(gateway.edit), Json(reset)))
}
