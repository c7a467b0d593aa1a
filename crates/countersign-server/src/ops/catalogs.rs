//! The catalog: what is in force, what a new file would change, and loading one without a restart.

use std::sync::Arc;

use countersign_model::catalog::{self, Catalog, Difference, Numbering, Problem};
use countersign_store::{StoredCatalog, Write};
use serde_json::{Value, json};

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    rights::Operator,
};

/// Differences of a load that its audit entry tells.
const DIFFERENCES_AUDITED_MAX: usize = 50;

/// The catalog as it was loaded.
pub async fn stored(app: &App) -> Result<StoredCatalog, Error> {
    let loaded = app.store.catalog().await?;
    loaded.ok_or_else(|| Error::unavailable("catalog", &"none was ever loaded"))
}

/// What a file would change, without loading it.
pub async fn check(app: &App, _: &Operator, source: &str) -> Result<Vec<Difference>, Error> {
    let stored = stored(app).await?;
    let (new, _) = compiled(source, &stored.numbering)?;
    Ok(catalog::diff(&stored.catalog, &new))
}

/// Loads a file over the catalog in force; answers its number and what it changed.
pub async fn load(
    app: &App,
    operator: &Operator,
    source: &str,
) -> Result<(StoredCatalog, Vec<Difference>), Error> {
    let before = stored(app).await?;
    let (new, numbering) = compiled(source, &before.numbering)?;
    let differences = catalog::diff(&before.catalog, &new);
    let loaded = StoredCatalog {
        number: before.number + 1,
        source: source.to_owned(),
        numbering,
        catalog: Arc::new(new),
        loaded_at: app.clock.wall(),
    };
    let deed = Deed {
        action: "catalog.load",
        subject: loaded.number.to_string(),
        subject_label: "",
        before: json!({ "number": before.number }),
        after: summary(&loaded, &differences),
    };
    app.commit(Write::new(operator.audit(app, None, deed)).insert_catalog(&loaded)).await?;
    Ok((loaded, differences))
}

fn compiled(source: &str, numbering: &Numbering) -> Result<(Catalog, Numbering), Error> {
    let file = catalog::parse(source).map_err(|problems| refused(&problems))?;
    catalog::compile(&file, numbering).map_err(|problem| refused(&[problem]))
}

fn refused(problems: &[Problem]) -> Error {
    let detail = match problems {
        [only] => format!("The catalog is not taken: {only}."),
        _ => format!("The catalog is not taken; it has {} problems.", problems.len()),
    };
    let list: Vec<Value> = problems
        .iter()
        .map(|Problem { line, column, message, fix }| {
            json!({ "line": line, "column": column, "message": message, "fix": fix })
        })
        .collect();
    Error::new(Kind::Invalid, "catalog_invalid", detail).at_field("source").with("problems", list)
}

/// What the audit trail keeps of a load: enough to prove which file it was, and the first of what it changed.
fn summary(loaded: &StoredCatalog, differences: &[Difference]) -> Value {
    let sentences: Vec<&str> = differences
        .iter()
        .take(DIFFERENCES_AUDITED_MAX)
        .map(|difference| difference.sentence.as_str())
        .collect();
    json!({
        "number": loaded.number,
        "source_blake3": blake3::hash(loaded.source.as_bytes()).to_hex().as_str(),
        "differences": differences.len(),
        "first_differences": sentences,
    })
}
