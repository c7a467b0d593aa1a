//! Disables and enables both credentials of the pair.

use countersign_model::event::Event;
use countersign_store::{Token, TokenState, Write};
use serde_json::{Value, json};

use super::{LegacyAnswer, answer, pair};
use crate::{
    app::App,
    caller::Deed,
    error::Error,
    ops::{
        notices,
        tokens::{deed, facts::state_word},
    },
    rights::{Granted, ManageLegacy},
};

/// Puts both credentials into a state.
pub async fn switch(
    app: &App,
    granted: &Granted<ManageLegacy>,
    state: TokenState,
) -> Result<LegacyAnswer, Error> {
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt(app, granted, state).await {
            Err(error) if attempts.again(deed::is_stale(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(
    app: &App,
    granted: &Granted<ManageLegacy>,
    state: TokenState,
) -> Result<LegacyAnswer, Error> {
    let now = app.clock.wall();
    let others: Vec<_> = pair(app, granted).await?.into_iter().filter(|token| token.state != state).collect();
    let Some(first) = others.first() else {
        deed::settle(app).await?;
        return answer(app, granted, app.verifier.applied(), Vec::new()).await;
    };
    let sids: Vec<_> = others.iter().map(|token| &token.sid).collect();
    let audit = granted.audit(
        app,
        Deed {
            action: match state {
                TokenState::Enabled => "legacy.switch_on",
                TokenState::Disabled => "legacy.disable",
            },
            subject: granted.account.id.to_string(),
            subject_label: granted.account.name.as_str(),
            before: json!({ "state": state_word(first.state) }),
            after: json!({ "state": state_word(state), "sids": sids }),
        },
    );
    let event = match state {
        TokenState::Enabled => Event::TokenEnabled,
        TokenState::Disabled => Event::TokenDisabled,
    };
    let switched: Vec<&Token> = others.iter().collect();
    let mut write = notices::of_pair(app, granted, Write::new(audit), (event, &switched), Value::Null)?;
    for mut token in others {
        token.state = state;
        deed::stamp(&mut token, granted, now);
        write = write.update_token(&token);
    }
    let committed = app.commit(write).await?;
    answer(app, granted, committed.seq, Vec::new()).await
}
