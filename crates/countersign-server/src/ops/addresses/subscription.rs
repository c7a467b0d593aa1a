//! Who wants to hear only of what is about security. It is said once for an address and holds for the whole platform:
//! letters reach people, and people do not know which account caused which letter.

use countersign_store::{Conflict, Write};

use super::{code, entry};
use crate::{
    app::App,
    error::Error,
    ops::{attempts::FAILED_SIGN_IN, sign_in::Visitor},
};

/// The link that ends letters like this one. It opens a page with a button; only the button ends them.
pub fn unsubscribe_link(app: &App, email: &str) -> String {
    format!("{}/unsubscribe#{}", app.settings.public_url, code::of_subscription(app, email))
}

/// Ends letters that are not about security; answers the address, folded. Again is as once.
pub async fn unsubscribe(app: &App, visitor: &Visitor, code: &str) -> Result<String, Error> {
    let email = read(app, visitor, code)?;
    let audit = entry(app, visitor, None, "address.unsubscribe", &email);
    app.commit(Write::new(audit).unsubscribe(&email, app.clock.wall())).await?;
    Ok(email)
}

/// Lets such letters come again; answers the address, folded.
pub async fn resubscribe(app: &App, visitor: &Visitor, code: &str) -> Result<String, Error> {
    let email = read(app, visitor, code)?;
    let audit = entry(app, visitor, None, "address.resubscribe", &email);
    app.commit(Write::new(audit).resubscribe(&email)).await?;
    Ok(email)
}

fn read(app: &App, visitor: &Visitor, code: &str) -> Result<String, Error> {
    code::read_subscription(app, code).ok_or_else(|| {
        app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, app.clock.wall());
        Conflict::CodeSpent.into()
    })
}
