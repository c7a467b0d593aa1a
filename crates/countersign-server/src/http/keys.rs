//! The keys of the installation: which are in use, and their rotation. Never a key itself.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_store::{KeyJob, KeyKind, KeyState, LayeredToken, Rotation};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Body},
    problem::{RaceProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::keys::{self, KeysInUse},
};

/// What can be rotated.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RotatedKey {
    /// The root that wraps data keys.
    RevealRoot,
    /// The data keys of accounts.
    DataKeys,
    /// The key of digests.
    Pepper,
    /// The root verification is derived from.
    VerifyRoot,
}

/// What has generations.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KeyName {
    /// The root verification is derived from.
    VerifyRoot,
    /// The root that wraps data keys.
    RevealRoot,
    /// The key of digests.
    Pepper,
}

/// What a generation is still good for.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KeyStanding {
    /// Everything new is made with it.
    Current,
    /// What was made with it still works.
    Former,
    /// Only what lies under a newer layer needs it.
    Layered,
    /// Nothing needs it.
    Retired,
}

/// One generation of one key.
#[derive(Serialize, ToSchema)]
struct KeyGenerationView {
    /// Which key.
    key: KeyName,
    /// Counts from 1.
    generation: u16,
    /// What it is good for.
    state: KeyStanding,
    /// When it was made.
    made_at: Moment,
}

/// A token whose secret was not used since the pepper was rotated.
#[derive(Serialize, ToSchema)]
struct LayeredTokenView {
    /// Its account.
    #[schema(value_type = words::AccountId)]
    account: countersign_model::id::AccountId,
    /// Its id.
    #[schema(value_type = words::TokenId)]
    token: countersign_model::id::TokenId,
    /// Its public identifier.
    #[schema(value_type = words::Sid)]
    sid: String,
    /// Its name.
    name: String,
}

/// A rotation.
#[derive(Serialize, ToSchema)]
struct RotationView {
    /// Counts the rotations, from 1.
    number: u64,
    /// What is rotated.
    key: RotatedKey,
    /// Whether it still runs.
    running: bool,
    /// The step it is at; `done` at the end.
    step: String,
    /// Rows that were moved.
    finished: u64,
    /// Rows there were when it began; what came meanwhile is not counted.
    total: u64,
    /// When it began.
    started_at: Moment,
    /// Who began it.
    started_by: String,
    /// When it ended.
    ended_at: Option<Moment>,
}

/// Which keys are in use.
#[derive(Serialize, ToSchema)]
struct KeysView {
    /// Every generation of every key.
    generations: Vec<KeyGenerationView>,
    /// Files of the keys directory that are needed: keep them, and a copy of them elsewhere.
    files: Vec<String>,
    /// Files of the keys directory that nothing needs any more, except older backups.
    spare_files: Vec<String>,
    /// How many secrets are only known under a layer: not used since the pepper was rotated.
    layered_count: u64,
    /// Some of their tokens, at most 200.
    layered_tokens: Vec<LayeredTokenView>,
    /// The rotation that runs, or the last one.
    rotation: Option<RotationView>,
}

/// What to rotate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRotation {
    /// Which key.
    key: RotatedKey,
    /// Whether secrets that are still under a layer end now: their tokens then need a reset.
    #[serde(default)]
    drop_layered: bool,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_keys)).routes(routes!(rotate_key))
}

/// Show which keys are in use.
///
/// Never a key itself. Operators only.
#[utoipa::path(get, path = "/keys", tag = "platform",
    responses((status = 200, description = "The keys in use", body = KeysView), ReadProblems))]
async fn get_keys(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<Json<KeysView>, Error> {
    Ok(Json(view(keys::in_use(&app, &operator).await?)))
}

/// Begin a rotation of a key.
///
/// It goes on by itself, without downtime and also after a restart; `GET /keys` says how far it is. Operators only.
#[utoipa::path(post, path = "/keys/rotations", tag = "platform", request_body = NewRotation,
    responses((status = 202, description = "It has begun", body = RotationView), RaceProblems))]
async fn rotate_key(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(asked): Body<NewRotation>,
) -> Result<impl IntoResponse, Error> {
    let job = keys::begin(&app, &operator, asked.key.into(), asked.drop_layered).await?;
    Ok((StatusCode::ACCEPTED, Json(RotationView::of(job))))
}

fn view(keys: KeysInUse) -> KeysView {
    let generations = keys.table.generations.iter().map(|one| KeyGenerationView {
        key: match one.kind {
            KeyKind::VerifyRoot => KeyName::VerifyRoot,
            KeyKind::RevealRoot => KeyName::RevealRoot,
            KeyKind::Pepper => KeyName::Pepper,
        },
        generation: one.generation,
        state: match one.state {
            KeyState::Current => KeyStanding::Current,
            KeyState::Former => KeyStanding::Former,
            KeyState::Layered => KeyStanding::Layered,
            KeyState::Retired => KeyStanding::Retired,
        },
        made_at: one.made_at.into(),
    });
    KeysView {
        generations: generations.collect(),
        files: keys.files,
        spare_files: keys.spare_files,
        layered_count: keys.layered_count,
        layered_tokens: keys.layered.into_iter().map(LayeredTokenView::of).collect(),
        rotation: keys.rotation.map(RotationView::of),
    }
}

impl LayeredTokenView {
    fn of(token: LayeredToken) -> Self {
        Self {
            account: token.account,
            token: token.token,
            sid: token.sid.as_str().to_owned(),
            name: token.name,
        }
    }
}

impl RotationView {
    fn of(job: KeyJob) -> Self {
        Self {
            number: job.number,
            key: job.kind.into(),
            running: job.ended_at.is_none(),
            step: job.step,
            finished: job.finished,
            total: job.total,
            started_at: job.started_at.into(),
            started_by: job.started_by,
            ended_at: job.ended_at.map(Into::into),
        }
    }
}

impl From<RotatedKey> for Rotation {
    fn from(key: RotatedKey) -> Self {
        match key {
            RotatedKey::RevealRoot => Self::RevealRoot,
            RotatedKey::DataKeys => Self::DataKeys,
            RotatedKey::Pepper => Self::Pepper,
            RotatedKey::VerifyRoot => Self::VerifyRoot,
        }
    }
}

impl From<Rotation> for RotatedKey {
    fn from(kind: Rotation) -> Self {
        match kind {
            Rotation::RevealRoot => Self::RevealRoot,
            Rotation::DataKeys => Self::DataKeys,
            Rotation::Pepper => Self::Pepper,
            Rotation::VerifyRoot => Self::VerifyRoot,
        }
    }
}
