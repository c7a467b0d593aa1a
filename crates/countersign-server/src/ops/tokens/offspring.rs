//! The tokens a token has made, and those that they made. Whoever holds a leaked maker may hold the secrets of all of
//! them, so disabling, resetting or deleting the maker takes them along unless the caller says otherwise: a delete
//! deletes them; a disable or a reset disables them, because nobody would be told the secrets of a reset.

use std::collections::HashSet;

use countersign_model::id::{AccountId, TokenId};
use countersign_store::{PageAsk, Token, TokenFilter, TokenState};

use crate::{app::App, error::Error, limits::PAGE_ROWS_MAX};

/// All of them, nearest first. There are no more than the account may have tokens.
pub(super) async fn of(app: &App, account: AccountId, maker: TokenId) -> Result<Vec<Token>, Error> {
    let mut seen = HashSet::from([maker]);
    let mut makers = vec![maker];
    let mut found = Vec::new();
    while let Some(maker) = makers.pop() {
        for token in made_by(app, account, maker).await? {
            if seen.insert(token.id) {
                makers.push(token.id);
                found.push(token);
            }
        }
    }
    Ok(found)
}

/// Those of them that are enabled.
pub(super) async fn enabled(app: &App, account: AccountId, maker: TokenId) -> Result<Vec<Token>, Error> {
    let mut found = of(app, account, maker).await?;
    found.retain(|token| token.state == TokenState::Enabled);
    Ok(found)
}

/// Their ids.
pub(super) fn ids(tokens: &[Token]) -> Vec<TokenId> {
    tokens.iter().map(|token| token.id).collect()
}

async fn made_by(app: &App, account: AccountId, maker: TokenId) -> Result<Vec<Token>, Error> {
    let filter = TokenFilter { made_by: Some(maker), ..TokenFilter::default() };
    let mut page = PageAsk { after: None, limit: PAGE_ROWS_MAX };
    let mut found = Vec::new();
    loop {
        let rows = app.store.within(account).tokens(&filter, &page).await?;
        found.extend(rows.rows);
        match rows.next {
            Some(next) => page.after = Some(next),
            None => return Ok(found),
        }
    }
}
