//! The audit trail: an account's own, the platform's, the proof of its chain, its signed checkpoints, and its export as
//! JSON Lines.

use std::sync::Arc;

use axum::{Json, body::Body as Stream, extract::State, response::IntoResponse};
use bytes::Bytes;
use countersign_model::{
    actor::Actor,
    id::{AccountId, RequestId},
};
use countersign_store::{AuditEntry, AuditFilter, AuditFinding, Checkpoint, Outcome};
use futures_util::stream;
use http::header;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Body, In, ListPlace, NoBody, PageParameters, Query},
    page::PageOf,
    problem::{ChangeProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    hexadecimal,
    ops::{
        audit,
        checkpoints::{self, Held},
    },
    rights::{Operator, ViewAudit},
};

/// An entry of the audit trail.
#[derive(Serialize, ToSchema)]
struct AuditEntryView {
    /// Its place in the chain, from 1, gap-free.
    number: u64,
    /// When.
    at: Moment,
    /// Who.
    actor: ActorView,
    /// From where; empty where unknown.
    client_address: String,
    /// The request it came with.
    #[schema(value_type = Option<words::RequestId>)]
    request_id: Option<RequestId>,
    /// The account it concerns.
    #[schema(value_type = Option<words::AccountId>)]
    account_id: Option<AccountId>,
    /// What: `token.disable`.
    action: String,
    /// The id of what it was done to.
    subject: String,
    /// What it was done to, in words.
    subject_label: String,
    /// `done` or `refused`.
    #[schema(value_type = words::Outcome)]
    outcome: &'static str,
    /// The fields before.
    before: Value,
    /// The fields after.
    after: Value,
    /// Hash of the entry before, hexadecimal.
    #[schema(value_type = words::Hash)]
    previous_hash: String,
    /// Hash of this entry, hexadecimal.
    #[schema(value_type = words::Hash)]
    hash: String,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
struct ActorView {
    /// `user`, `operator`, `token`, `platform`, `cli`, `system` or `anonymous`.
    #[schema(value_type = words::ActorKind)]
    kind: &'static str,
    /// Their id, where they have one.
    id: Option<String>,
    /// Who, in words that last.
    label: String,
}

/// What verification of the chain found.
#[derive(Serialize, ToSchema)]
struct Finding {
    /// Whether every entry is chained to the one before.
    whole: bool,
    /// How many entries there are, where it is whole.
    entries: Option<u64>,
    /// The first entry that does not fit, where one does not.
    broken_at: Option<u64>,
    /// Why it does not fit.
    reason: Option<String>,
}

/// A signed statement: this entry has this hash.
#[derive(Serialize, ToSchema)]
struct CheckpointView {
    /// Which installation says so.
    cluster: String,
    /// The number of the entry.
    number: u64,
    /// Its hash, hexadecimal.
    #[schema(value_type = words::Hash)]
    hash: String,
    /// When it was signed.
    at: Moment,
    /// The Ed25519 key it is signed with, hexadecimal.
    public_key: String,
    /// The signature, hexadecimal.
    signature: String,
}

/// Checkpoints as they were kept, as objects.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckpointsKept {
    /// At most 100.
    #[schema(value_type = Vec<CheckpointView>, max_items = 100)]
    checkpoints: Vec<Value>,
}

/// What the trail was held to.
#[derive(Serialize, ToSchema)]
struct HeldView {
    /// Whether it agrees with every checkpoint.
    agrees: bool,
    /// How many were compared, where it agrees.
    compared: Option<usize>,
    /// The entry of the newest of them.
    newest: Option<u64>,
    /// The entry of the first it does not agree with.
    differs_at: Option<u64>,
    /// Why it does not.
    reason: Option<&'static str>,
}

impl Finding {
    fn broken(number: u64, reason: String) -> Self {
        Self { whole: false, entries: None, broken_at: Some(number), reason: Some(reason) }
    }
}

impl CheckpointView {
    fn of(cluster: &str, checkpoint: &Checkpoint) -> Self {
        Self {
            cluster: cluster.to_owned(),
            number: checkpoint.number,
            hash: hexadecimal::encode(&checkpoint.hash),
            at: checkpoint.at.into(),
            public_key: hexadecimal::encode(&checkpoint.public_key),
            signature: hexadecimal::encode(&checkpoint.signature),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Exactly this action, or all that start with it where it ends in a dot: `token.`.
    action: Option<String>,
    /// Exactly this subject.
    subject: Option<String>,
    /// By the actor with this id.
    actor_id: Option<String>,
    /// From this moment on.
    since: Option<Moment>,
    /// Before this moment.
    until: Option<Moment>,
    /// The `next` of the page before.
    #[param(inline, value_type = Option<words::Cursor>)]
    after: Option<String>,
    /// Rows at most; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_account_audit))
        .routes(routes!(list_audit))
        .routes(routes!(verify_audit))
        .routes(routes!(export_audit))
        .routes(routes!(list_checkpoints))
        .routes(routes!(hold_audit))
}

impl AuditQuery {
    fn split(self) -> (AuditFilter, PageParameters) {
        let filter = AuditFilter {
            action: self.action,
            subject: self.subject,
            actor_id: self.actor_id,
            since: self.since.map(|Moment(since)| since),
            until: self.until.map(|Moment(until)| until),
        };
        (filter, PageParameters { after: self.after, limit: self.limit })
    }
}

fn view(entry: AuditEntry) -> AuditEntryView {
    AuditEntryView {
        number: entry.number,
        at: entry.at.into(),
        actor: actor(entry.actor, entry.actor_label),
        client_address: entry.client_address,
        request_id: entry.request_id,
        account_id: entry.account,
        action: entry.action,
        subject: entry.subject,
        subject_label: entry.subject_label,
        outcome: match entry.outcome {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        },
        before: entry.before,
        after: entry.after,
        previous_hash: entry.previous_hash,
        hash: entry.hash,
    }
}

fn actor(actor: Actor, label: String) -> ActorView {
    let (kind, id) = match actor {
        Actor::User(id) => ("user", Some(id.to_string())),
        Actor::Operator(id) => ("operator", Some(id.to_string())),
        Actor::Token(id) => ("token", Some(id.to_string())),
        Actor::Platform(id) => ("platform", Some(id.to_string())),
        Actor::Cli => ("cli", None),
        Actor::System => ("system", None),
        Actor::Anonymous => ("anonymous", None),
    };
    ActorView { kind, id, label }
}

/// List the audit trail of an account.
///
/// Newest first, attempts that were refused too. Needs `audit.view`.
#[utoipa::path(get, path = "/accounts/{account_id}/audit", tag = "audit",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"), AuditQuery),
    responses((status = 200, description = "Entries, newest first", body = PageOf<AuditEntryView>), ReadProblems))]
async fn list_account_audit(
    State(app): State<Arc<App>>,
    In(granted): In<ViewAudit>,
    Query(asked): Query<AuditQuery>,
) -> Result<Json<PageOf<AuditEntryView>>, Error> {
    let place = ListPlace { list: "audit", account: Some(granted.account.id) };
    let (filter, page) = asked.split();
    let found = audit::list_of_account(&app, &granted, &filter, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, view).map(Json)
}

/// List the audit trail of the platform.
///
/// Newest first, attempts that were refused too. Operators only.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "Entries, newest first", body = PageOf<AuditEntryView>), ReadProblems))]
async fn list_audit(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Query(asked): Query<AuditQuery>,
) -> Result<Json<PageOf<AuditEntryView>>, Error> {
    let place = ListPlace { list: "audit", account: None };
    let (filter, page) = asked.split();
    let found = audit::list(&app, &operator, &filter, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, view).map(Json)
}

/// Verify the chain of the audit trail.
///
/// Computes the hash of every entry again. Operators only.
#[utoipa::path(post, path = "/audit/verify", tag = "audit",
    responses((status = 200, description = "What was found", body = Finding), ChangeProblems))]
async fn verify_audit(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    _: NoBody,
) -> Result<Json<Finding>, Error> {
    if let Some((number, false)) = checkpoints::floor_holds(&app).await? {
        let reason = "the entries up to it were removed, and not by this installation".to_owned();
        return Ok(Json(Finding::broken(number, reason)));
    }
    Ok(Json(match audit::verify(&app, &operator).await? {
        AuditFinding::Whole { entries } => {
            Finding { whole: true, entries: Some(entries), broken_at: None, reason: None }
        }
        AuditFinding::Broken { number, reason } => Finding::broken(number, reason),
    }))
}

/// List signed checkpoints of the audit trail.
///
/// Newest first: which hash an entry had when it was the last, signed with the installation's key (Ed25519). Keep
/// copies elsewhere: with one of them, entries cut off at the end are missed. Operators only.
#[utoipa::path(get, path = "/audit/checkpoints", tag = "audit", params(PageParameters),
    responses((status = 200, description = "Checkpoints, newest first", body = PageOf<CheckpointView>), ReadProblems))]
async fn list_checkpoints(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<CheckpointView>>, Error> {
    let place = ListPlace { list: "checkpoints", account: None };
    let found = checkpoints::list(&app, &operator, &page.open(&app, place)?).await?;
    let cluster = app.signer.cluster().to_owned();
    PageOf::of(&app, place, found, |checkpoint| CheckpointView::of(&cluster, &checkpoint)).map(Json)
}

/// Hold the audit trail to checkpoints kept elsewhere.
///
/// Each must be signed by this installation, and its entry must still be there with that hash. Those of entries that
/// were removed by age are passed over. Operators only.
#[utoipa::path(post, path = "/audit/checkpoints/check", tag = "audit", request_body = CheckpointsKept,
    responses((status = 200, description = "What was found", body = HeldView), ChangeProblems))]
async fn hold_audit(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(kept): Body<CheckpointsKept>,
) -> Result<Json<HeldView>, Error> {
    let kept = checkpoints::parse(&kept.checkpoints)?;
    Ok(Json(match checkpoints::hold(&app, &operator, &kept).await? {
        Held::Agrees { compared, newest } => {
            HeldView { agrees: true, compared: Some(compared), newest, differs_at: None, reason: None }
        }
        Held::Differs { number, reason } => HeldView {
            agrees: false,
            compared: None,
            newest: None,
            differs_at: Some(number),
            reason: Some(reason),
        },
    }))
}

/// Export the audit trail.
///
/// Every entry from the first on, one JSON object a line. An export that fails on the way is cut off, not ended.
#[utoipa::path(get, path = "/audit/export", tag = "audit",
    responses((status = 200, description = "JSON Lines, oldest first", content_type = "application/x-ndjson", body = String), ReadProblems))]
async fn export_audit(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<impl IntoResponse, Error> {
    let first = lines(&app, &operator, 1).await?;
    let rest = stream::unfold((first, app, operator), |(next, app, operator)| async move {
        let (lines, number) = next?;
        match self::lines(&app, &operator, number).await {
            Ok(after) => Some((Ok(lines), (after, app, operator))),
            Err(error) => Some((Err(error), (None, app, operator))),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"countersign-audit.jsonl\""),
    ];
    Ok((headers, Stream::from_stream(rest)))
}

/// Entries from a number on as lines, and the number after them; `None` at the end.
async fn lines(app: &App, operator: &Operator, number: u64) -> Result<Option<(Bytes, u64)>, Error> {
    let entries = audit::export_from(app, operator, number).await?;
    let Some(last) = entries.last().map(|entry| entry.number) else { return Ok(None) };
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, &view(entry))
            .map_err(|error| Error::internal("audit export", &error))?;
        text.push(b'\n');
    }
    Ok(Some((text.into(), last + 1)))
}
