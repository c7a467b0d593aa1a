//! Reading the audit trail: an account's own, the platform's, the proof of its chain, and its export.

use countersign_store::{AuditEntry, AuditFilter, AuditFinding, Page, PageAsk};

use crate::{
    app::App,
    error::Error,
    limits::AUDIT_EXPORT_ROWS,
    rights::{Granted, Operator, ViewAudit},
};

/// Entries of an account, newest first.
pub async fn list_of_account(
    app: &App,
    granted: &Granted<ViewAudit>,
    filter: &AuditFilter,
    page: &PageAsk,
) -> Result<Page<AuditEntry>, Error> {
    Ok(app.store.within(granted.account.id).audit(filter, page).await?)
}

/// Entries of the platform, newest first.
pub async fn list(
    app: &App,
    _: &Operator,
    filter: &AuditFilter,
    page: &PageAsk,
) -> Result<Page<AuditEntry>, Error> {
    Ok(app.store.audit(filter, page).await?)
}

/// Recomputes the chain over every entry.
pub async fn verify(app: &App, _: &Operator) -> Result<AuditFinding, Error> {
    Ok(app.store.verify_audit(&mut |_, _| {}).await?)
}

/// The next entries of an export, oldest first, from a number on. Empty at the end.
pub async fn export_from(app: &App, _: &Operator, number: u64) -> Result<Vec<AuditEntry>, Error> {
    Ok(app.store.audit_from(number, AUDIT_EXPORT_ROWS).await?)
}
