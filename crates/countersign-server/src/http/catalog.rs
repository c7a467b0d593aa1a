//! The catalog: shown to whoever signed in, checked and loaded by operators.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use countersign_model::{catalog::Difference, limits::CATALOG_BYTES_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    catalog_view::CatalogView,
    extract::{AsOperator, Known, read_body},
    problem::{ChangeProblems, RaceProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::{accounts, catalogs},
    rights::Operator,
};

/// A catalog file is a JSON text in its request; escapes make it longer.
const BODY_BYTES_MAX: usize = CATALOG_BYTES_MAX + CATALOG_BYTES_MAX / 4;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CatalogSource {
    /// The TOML file.
    #[schema(max_length = 4_194_304)]
    source: String,
}

/// The catalog file in force.
#[derive(Serialize, ToSchema)]
struct StoredSource {
    /// Counts the loads, from 1.
    number: u64,
    /// The TOML file as it was given.
    source: String,
    /// When it was loaded.
    loaded_at: Moment,
}

/// What a file changes.
#[derive(Serialize, ToSchema)]
struct CatalogDifferences {
    /// One thing each, in the order of the file.
    differences: Vec<CatalogDifference>,
}

/// One thing a file changes.
#[derive(Serialize, ToSchema)]
struct CatalogDifference {
    /// What kind of thing: `scope`.
    subject: &'static str,
    /// What becomes of it: `added`.
    fate: &'static str,
    /// The account kind it belongs to, where it belongs to one.
    #[schema(value_type = Option<words::CatalogId>)]
    kind: Option<String>,
    /// Its id.
    id: String,
    /// The same in one sentence.
    sentence: String,
}

/// A catalog that was loaded.
#[derive(Serialize, ToSchema)]
struct LoadedCatalog {
    /// Counts the loads, from 1.
    number: u64,
    /// What it changed.
    differences: Vec<CatalogDifference>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(get_catalog, put_catalog))
        .routes(routes!(get_catalog_source))
        .routes(routes!(check_catalog))
}

fn view(differences: Vec<Difference>) -> CatalogDifferences {
    let one = |difference: Difference| CatalogDifference {
        subject: difference.subject.as_str(),
        fate: difference.fate.as_str(),
        kind: difference.kind,
        id: difference.id,
        sentence: difference.sentence,
    };
    CatalogDifferences { differences: differences.into_iter().map(one).collect() }
}

/// Show the catalog.
///
/// Operators see every account kind, everybody else the kinds of their own accounts.
#[utoipa::path(get, path = "/catalog", tag = "catalog",
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "The catalog in force", body = CatalogView), ReadProblems))]
async fn get_catalog(State(app): State<Arc<App>>, Known(caller): Known) -> Result<Json<CatalogView>, Error> {
    let catalog = app.catalog()?;
    if Operator::prove(caller.clone()).is_ok() {
        return Ok(Json(CatalogView::of(&catalog, &|_| true)));
    }
    let kinds = accounts::kinds_of(&app, &caller).await?;
    Ok(Json(CatalogView::of(&catalog, &|kind| kinds.iter().any(|own| own == kind))))
}

/// Show the catalog file in force.
///
/// Exactly as it was given. Operators only.
#[utoipa::path(get, path = "/catalog/source", tag = "catalog",
    responses((status = 200, description = "The file", body = StoredSource), ReadProblems))]
async fn get_catalog_source(
    State(app): State<Arc<App>>,
    AsOperator(_): AsOperator,
) -> Result<Json<StoredSource>, Error> {
    let stored = catalogs::stored(&app).await?;
    Ok(Json(StoredSource {
        number: stored.number,
        source: stored.source,
        loaded_at: stored.loaded_at.into(),
    }))
}

/// Check a catalog file without loading it.
///
/// Answers what it would change; a file with problems is 422 and lists them with line, column and what to do.
#[utoipa::path(post, path = "/catalog/check", tag = "catalog", request_body = CatalogSource,
    responses((status = 200, description = "It can be loaded, and would change this", body = CatalogDifferences), ChangeProblems))]
async fn check_catalog(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    request: Request,
) -> Result<Json<CatalogDifferences>, Error> {
    let asked: CatalogSource = read_body(request, BODY_BYTES_MAX).await?;
    Ok(Json(view(catalogs::check(&app, &operator, &asked.source).await?)))
}

/// Load a catalog file.
///
/// In force on the answer, without a restart. A scope it adds is granted to no existing token.
#[utoipa::path(put, path = "/catalog", tag = "catalog", request_body = CatalogSource,
    responses((status = 200, description = "It is in force", body = LoadedCatalog), RaceProblems))]
async fn put_catalog(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    request: Request,
) -> Result<Json<LoadedCatalog>, Error> {
    let asked: CatalogSource = read_body(request, BODY_BYTES_MAX).await?;
    let (loaded, differences) = catalogs::load(&app, &operator, &asked.source).await?;
    Ok(Json(LoadedCatalog { number: loaded.number, differences: view(differences).differences }))
}
