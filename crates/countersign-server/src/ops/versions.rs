//! Who still uses which API version, for operators who are about to end one.

use countersign_model::{
    api_version::{ApiVersion, VersionPlan},
    catalog::Catalog,
    time::Timestamp,
};
use countersign_store::{Page, PageAsk, VersionCount, VersionUser};

use crate::{app::App, error::Error, limits::VERSION_USED_WITHIN_DAYS, rights::Operator};

/// One version of one kind of account, and how many are on it.
#[derive(Debug, Clone)]
pub struct VersionReport {
    /// How many are on it; kind and number, too.
    pub count: VersionCount,
    /// Its dates; `None` where the catalog no longer has it.
    pub plan: Option<VersionPlan>,
    /// Whether it is the latest of its kind.
    pub latest: bool,
    /// Where it is in its life.
    pub age: VersionAge,
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionAge {
    /// It works, and nobody is told to move on yet.
    Current,
    /// It works, and callers are told to move on.
    Deprecated,
    /// It is refused.
    Retired,
    /// The catalog no longer has it: it is refused, too.
    Unknown,
}

/// From when on a use counts at this moment.
pub(in crate::ops) fn used_since(now: Timestamp) -> Timestamp {
    now.plus_secs(-VERSION_USED_WITHIN_DAYS * 24 * 3600)
}

/// Every version of the catalog, in its order, and every other one that a token is on.
pub async fn report(app: &App, _: &Operator) -> Result<Vec<VersionReport>, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let counts = app.store.version_counts(used_since(now)).await?;
    Ok(reports(&catalog, counts, now))
}

fn reports(catalog: &Catalog, mut counts: Vec<VersionCount>, now: Timestamp) -> Vec<VersionReport> {
    let mut reports = Vec::new();
    for kind in &catalog.kinds {
        for plan in &kind.versions {
            let found =
                counts.iter().position(|count| count.kind == kind.id && count.api_version == plan.number);
            let count = found.map_or_else(|| nobody(&kind.id, plan.number), |index| counts.remove(index));
            let latest = plan.number == kind.latest();
            let age = age(plan, now);
            reports.push(VersionReport { count, plan: Some(plan.clone()), latest, age });
        }
    }
    let unknown = |count| VersionReport { count, plan: None, latest: false, age: VersionAge::Unknown };
    reports.extend(counts.into_iter().map(unknown));
    reports
}

fn age(plan: &VersionPlan, now: Timestamp) -> VersionAge {
    if plan.is_retired(now) {
        VersionAge::Retired
    } else if plan.deprecated_at.is_some_and(|deprecated| deprecated <= now) {
        VersionAge::Deprecated
    } else {
        VersionAge::Current
    }
}

fn nobody(kind: &str, api_version: ApiVersion) -> VersionCount {
    VersionCount { kind: kind.to_owned(), api_version, tokens: 0, own: 0, used: 0, accounts: 0 }
}

/// The tokens on a version: those whose own it is, and those that were used in it within 30 days.
pub async fn tokens(
    app: &App,
    _: &Operator,
    (kind, version): (&str, ApiVersion),
    page: &PageAsk,
) -> Result<Page<VersionUser>, Error> {
    if app.catalog()?.kind(kind).is_none() {
        return Err(Error::not_found());
    }
    Ok(app.store.version_users(kind, version, used_since(app.clock.wall()), page).await?)
}
