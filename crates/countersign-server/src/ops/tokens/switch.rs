//! Disables and enables tokens. A disable is an emergency brake: it holds whatever others change of the same token at the
//! same moment, and takes what the token had made along.

use countersign_model::{change::Seq, event::Event, id::TokenId};
use countersign_store::{Token, TokenState, Write};
use serde_json::{Value, json};

use super::{Answer, create::replayed, deed, facts, offspring, reach, view};
use crate::{
    app::App,
    error::Error,
    ops::{
        idempotency::{Asked, Idempotency},
        notices,
        secrets::{self, Shown},
    },
    rights::{DisableTokens, EnableTokens, Granted, ResetTokens, Right},
};

/// Disables a token, and with `include_made_by_it` in the same change every token it had made. A token with the right
/// may disable any token of its account, also one that is stronger: taking rights away gives nobody any.
pub async fn disable(
    app: &App,
    granted: &Granted<DisableTokens>,
    id: TokenId,
    include_made_by_it: bool,
) -> Result<Answer, Error> {
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt_disable(app, granted, id, include_made_by_it).await {
            Err(error) if attempts.again(deed::is_stale(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt_disable(
    app: &App,
    granted: &Granted<DisableTokens>,
    id: TokenId,
    include_made_by_it: bool,
) -> Result<Answer, Error> {
    let mut token = deed::find(app, granted, id).await?;
    let made =
        if include_made_by_it { offspring::enabled(app, granted.account.id, id).await? } else { Vec::new() };
    let was = facts::state_word(token.state);
    let mut changed = offspring::ids(&made);
    let own = (token.state == TokenState::Enabled).then_some(&mut token);
    let mut seq = if let Some(seq) = switch_off(app, granted, (id, was), own, made).await? {
        seq
    } else {
        deed::settle(app).await?;
        app.verifier.applied()
    };
    if include_made_by_it {
        seq = stragglers(app, granted, &token, &mut changed).await?.unwrap_or(seq);
    }
    let token = deed::as_kept(app, token).await?;
    let view = view::view(app, &granted.account, token).await?;
    Ok(Answer { view, seq, shown: None, made_by_it: changed })
}

/// One write that disables a token, where it is enabled, and tokens it had made. `None` where there is nothing to do.
async fn switch_off<R: Right>(
    app: &App,
    granted: &Granted<R>,
    (id, was): (TokenId, &str),
    token: Option<&mut Token>,
    made: Vec<Token>,
) -> Result<Option<Seq>, Error> {
    let now = app.clock.wall();
    let subject = token.as_deref().or(made.first());
    let Some(subject) = subject else { return Ok(None) };
    let mut told = deed::told(
        granted,
        "token.disable",
        subject,
        (json!({ "state": was }), json!({ "state": "disabled", "made_by_it": offspring::ids(&made) })),
    );
    told.subject = id.to_string();
    let mut write = Write::new(granted.audit(app, told));
    if let Some(token) = token {
        token.state = TokenState::Disabled;
        deed::stamp(token, granted, now);
        write = notices::of_token(app, granted, write, (Event::TokenDisabled, token), Value::Null)?;
        write = write.disable_token(token);
    }
    for mut child in made {
        child.state = TokenState::Disabled;
        deed::stamp(&mut child, granted, now);
        let more = json!({ "maker_id": id });
        write = notices::of_token(app, granted, write, (Event::TokenDisabled, &child), more)?;
        write = write.disable_token(&child);
    }
    Ok(Some(app.commit(write).await?.seq))
}

/// Disables tokens that the maker's last requests made while it was being stopped: between the look and the write.
/// Once it is disabled it makes no more, so one look after that write sees all.
pub(super) async fn stragglers<R: Right>(
    app: &App,
    granted: &Granted<R>,
    maker: &Token,
    changed: &mut Vec<TokenId>,
) -> Result<Option<Seq>, Error> {
    let late = offspring::enabled(app, granted.account.id, maker.id).await?;
    if late.is_empty() {
        return Ok(None);
    }
    changed.extend(offspring::ids(&late));
    switch_off(app, granted, (maker.id, facts::state_word(maker.state)), None, late).await
}

/// Enables a token. With `reset` it gets a new secret in the same change, because one that was off may have leaked; that
/// needs the right to reset, too.
pub async fn enable(
    app: &App,
    granted: &Granted<EnableTokens>,
    id: TokenId,
    reset: bool,
    idempotency: &Idempotency,
) -> Result<Answer, Error> {
    if reset {
        granted.also::<ResetTokens>(app).await?;
    }
    let asked = idempotency.asked(granted, "token.enable");
    let mut attempts = deed::Attempts::new();
    loop {
        if let Some(earlier) = asked.earlier(app).await? {
            return replayed(app, granted, &earlier).await;
        }
        match attempt_enable(app, granted, id, reset, &asked).await {
            Err(error) if attempts.again(deed::is_stale(&error) || asked.lost_race(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt_enable(
    app: &App,
    granted: &Granted<EnableTokens>,
    id: TokenId,
    reset: bool,
    asked: &Asked<'_>,
) -> Result<Answer, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let before = deed::find(app, granted, id).await?;
    reach::require(granted, &catalog, &before)?;
    let mut token = before.clone();
    token.state = TokenState::Enabled;
    let secret =
        if reset { Some(secrets::rotate(app, &granted.account, &mut token, None, now)?) } else { None };
    let (old, new) = facts::changes(&catalog, &before, &token);
    let seq = if new == Value::Object(serde_json::Map::new()) {
        deed::settle(app).await?;
        app.verifier.applied()
    } else {
        deed::stamp(&mut token, granted, now);
        let audit = granted.audit(app, deed::told(granted, "token.enable", &token, (old, new)));
        let mut write = Write::new(audit);
        if reset {
            write = asked.remember(write, app, &token);
        }
        let more = json!({ "reset": reset });
        write = notices::of_token(app, granted, write, (Event::TokenEnabled, &token), more)?;
        let committed = app.commit(write.update_token(&token)).await?;
        token.edit += 1;
        committed.seq
    };
    let view = view::view(app, &granted.account, token).await?;
    Ok(Answer { view, seq, shown: secret.map(Shown::Secret), made_by_it: Vec::new() })
}
