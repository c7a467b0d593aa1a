//! `/api/v1/accounts/{account_id}/legacy-tokens`: the legacy pair of an account. Deeds here take no `If-Match`: each says
//! what the pair is to be.

mod half;
mod pair;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::tokens::answer::{Token, shown_fields};
use crate::{
    app::App,
    ops::legacy::{Half, LegacyAnswer, LegacyView},
};

/// The routes of the legacy pair.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(pair::get_legacy_tokens, pair::create_legacy_tokens, pair::delete_legacy_tokens))
        .routes(routes!(pair::upgrade_legacy_tokens))
        .routes(routes!(pair::duplicate_legacy_tokens))
        .routes(routes!(pair::disable_legacy_tokens))
        .routes(routes!(pair::enable_legacy_tokens))
        .routes(routes!(half::reset_legacy_token))
        .routes(routes!(half::reveal_legacy_token))
}

/// The legacy card of an account.
#[derive(Serialize, ToSchema)]
pub struct LegacyTokens {
    /// Whether legacy tokens are enabled.
    enabled: bool,
    /// Whether accounts of this kind have legacy tokens at all.
    available: bool,
    /// The credential that may call every operation of the account's kind.
    read_write: Option<Token>,
    /// The credential that may call those whose method is GET or HEAD.
    read_only: Option<Token>,
}

/// The pair after a change, with secrets where some were made.
#[derive(Serialize, ToSchema)]
pub struct LegacyTokensAnswer {
    /// The pair as it is now.
    legacy_tokens: LegacyTokens,
    /// The change from which on it is so; `min_seq` of a verification.
    seq: u64,
    /// The Auth Token of the read/write credential, where one was made: shown here once.
    read_write_secret: Option<String>,
    /// The Auth Token of the read-only credential, where one was made: shown here once.
    read_only_secret: Option<String>,
    /// Why a secret that was made cannot be shown and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_unavailable_reason: Option<&'static str>,
}

impl From<LegacyView> for LegacyTokens {
    fn from(view: LegacyView) -> Self {
        Self {
            enabled: view.enabled,
            available: view.available,
            read_write: view.read_write.map(Token::from),
            read_only: view.read_only.map(Token::from),
        }
    }
}

impl From<LegacyAnswer> for LegacyTokensAnswer {
    fn from(answer: LegacyAnswer) -> Self {
        let mut rendered = Self {
            legacy_tokens: answer.view.into(),
            seq: answer.seq.0,
            read_write_secret: None,
            read_only_secret: None,
            secret_unavailable_reason: None,
        };
        for (half, shown) in answer.shown {
            let (secret, reason) = shown_fields(Some(shown));
            match half {
                Half::ReadWrite => rendered.read_write_secret = secret,
                Half::ReadOnly => rendered.read_only_secret = secret,
            }
            rendered.secret_unavailable_reason = rendered.secret_unavailable_reason.or(reason);
        }
        rendered
    }
}
