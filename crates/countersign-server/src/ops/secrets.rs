//! Secrets of tokens: made, sealed for their place, opened again where the policy allows. A secret in the clear lives
//! for one answer; nothing here logs, compares or keeps it.

use countersign_model::{
    id::TokenId,
    secret::{Secret, Shape},
    time::Timestamp,
};
use countersign_store::{Account, RevealPolicy, Secret as KeptSecret, Token};

use crate::{
    app::App,
    error::{Error, Kind},
    sealing::{DataKey, Header, Place},
};

/// A new secret: the row to keep, and the text to show once.
pub struct Minted {
    /// What is kept.
    pub kept: KeptSecret,
    /// What is shown.
    pub clear: Secret,
}

/// What an answer shows of a secret.
pub enum Shown {
    /// The secret.
    Secret(Secret),
    /// It cannot be shown, and why.
    Unavailable(SecretUnavailable),
}

/// Why a secret cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUnavailable {
    /// The account, or the operator for all, has chosen *show once*.
    ShownOnce,
    /// Only a digest is kept: it was made under *show once*, or only its digest was imported.
    DigestOnly,
    /// It was replaced since.
    Replaced,
}

impl SecretUnavailable {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ShownOnce => "shown_once",
            Self::DigestOnly => "digest_only",
            Self::Replaced => "replaced",
        }
    }

    /// Why, and what to do next.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::ShownOnce => {
                "Secrets of this account are shown once, when they are made; reset the token to get a new one."
            }
            Self::DigestOnly => "Only a digest of this secret is kept; reset the token to get a new one.",
            Self::Replaced => "The secret was replaced since; reset the token to get a new one.",
        }
    }

    /// The same as a refusal.
    pub fn refusal(self) -> Error {
        Error::new(Kind::Conflict, "secret_unavailable", self.advice()).with("reason", self.code())
    }
}

/// Whether secrets of this account are sealed so that they can be shown again. The stricter of both policies holds.
pub fn is_recoverable(app: &App, account: &Account) -> bool {
    !app.settings.reveal_once && account.reveal == RevealPolicy::Recoverable
}

/// Makes a secret of a token.
pub fn mint(
    app: &App,
    account: &Account,
    token: TokenId,
    generation: u32,
    now: Timestamp,
) -> Result<Minted, Error> {
    let mut failed = None;
    let clear = app.settings.format.mint(&mut |buffer| {
        if let Err(error) = app.random.fill(buffer) {
            failed = Some(error);
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let (sealed, data_key) = if is_recoverable(app, account) {
        let key = DataKey::unwrap(&app.keys, account.id, &account.data_key.wrapped)?;
        let place = Place { account: account.id, token, generation };
        (Some(key.seal(&app.random, place, &clear)?), Some(key.generation()))
    } else {
        (None, None)
    };
    let lookup = app.keys.lookup();
    let digest = lookup
        .digest(clear.expose().as_bytes(), Shape::Minted)
        .ok_or_else(|| Error::internal("minting", &"a minted secret has no digest"))?;
    let kept = KeptSecret {
        digest,
        pepper: lookup.generation(),
        layered_over: None,
        generation,
        sealed,
        data_key,
        last4: clear.last4(),
        weak: false,
        created_at: now,
        ends_at: None,
        last_used_at: None,
        last_used_from: None,
        uses: 0,
    };
    Ok(Minted { kept, clear })
}

/// Gives a token a new secret. The one before works for `overlap_secs` more where that is given, else not at all; an
/// older one of an overlap ends now. The replaced secret cannot be shown any more.
pub fn rotate(
    app: &App,
    account: &Account,
    token: &mut Token,
    overlap_secs: Option<i64>,
    now: Timestamp,
) -> Result<Secret, Error> {
    let newest = token.secrets.iter().map(|secret| secret.generation).max().unwrap_or(0);
    let minted = mint(app, account, token.id, newest.saturating_add(1), now)?;
    token.access_tokens_from = Some(now);
    let before = std::mem::replace(&mut token.secrets, vec![minted.kept]).into_iter().next();
    if let (Some(secs), Some(mut old)) = (overlap_secs, before) {
        old.ends_at = Some(now.plus_secs(secs));
        (old.sealed, old.data_key) = (None, None);
        token.secrets.push(old);
    }
    Ok(minted.clear)
}

/// Why the current secret of a token cannot be shown; `None` where it can.
pub fn unavailable(app: &App, account: &Account, token: &Token) -> Option<SecretUnavailable> {
    if !is_recoverable(app, account) {
        return Some(SecretUnavailable::ShownOnce);
    }
    let sealed = token.secrets.first().is_some_and(|secret| secret.sealed.is_some());
    if sealed { None } else { Some(SecretUnavailable::DigestOnly) }
}

/// The wrapped data key that a secret of an account was sealed with: while secrets are sealed anew there are two.
pub(in crate::ops) fn wrapping<'a>(account: &'a Account, sealed: &[u8]) -> Result<&'a [u8], Error> {
    let generation = Header::read(sealed)?.0.data_key;
    let former = account.former_data_key.as_deref().filter(|_| generation != account.data_key.generation);
    Ok(former.unwrap_or(&account.data_key.wrapped))
}

/// Opens the current secret of a token. Whoever calls this has committed the audit entry of it.
pub fn open(app: &App, account: &Account, token: &Token) -> Result<Secret, Error> {
    if let Some(reason) = unavailable(app, account, token) {
        return Err(reason.refusal());
    }
    let current = token.secrets.first().ok_or_else(|| SecretUnavailable::DigestOnly.refusal())?;
    let sealed = current.sealed.as_deref().ok_or_else(|| SecretUnavailable::DigestOnly.refusal())?;
    let key = DataKey::unwrap(&app.keys, account.id, wrapping(account, sealed)?)?;
    key.open(Place { account: account.id, token: token.id, generation: current.generation }, sealed)
}
