//! A delivery as the letter or the message it becomes, made when it is sent: in the words and with the links of that
//! moment, and with one-time codes that are kept nowhere before.

use countersign_model::{
    event::Event,
    id::{AccountId, InvitationId},
    name::EmailAddress,
};
use countersign_store::{Due, RecipientKind};
use serde_json::{Map, Value, json};

use super::code;
use crate::{
    app::App,
    error::Error,
    mail::{
        Letter,
        letters::{self, Links},
    },
    ops::addresses,
};

/// What is to be sent of a delivery, if anything is.
pub(crate) enum Prepared {
    /// This letter.
    Letter(Box<Letter>),
    /// Nothing any more, and why.
    NotNeeded(&'static str),
}

/// Writes the letter of a delivery by mail.
pub(crate) async fn letter(app: &App, due: &Due) -> Result<Prepared, Error> {
    let Ok(named) = EmailAddress::parse(&due.delivery.address) else {
        return Ok(Prepared::NotNeeded("the address is none"));
    };
    if has_left(app, due).await? {
        return Ok(Prepared::NotNeeded("they are no longer a member of the account"));
    }
    let mut links = Links { console: console(app, due), ..Links::default() };
    let event = due.delivery.event;
    let to = match event {
        Event::Invitation | Event::PasswordReset => match invited(app, due).await? {
            // To the address of the invitation and to no other: what it opens is theirs.
            Some((to, link)) => {
                links.once = Some(link);
                to
            }
            None => {
                return Ok(Prepared::NotNeeded("the link was used, withdrawn or replaced, or is too old"));
            }
        },
        Event::AddressConfirm => match confirmation(app, due.delivery.account, &named).await? {
            Some(link) => {
                links.once = Some(link);
                named
            }
            None => return Ok(Prepared::NotNeeded("the address is not asked any more")),
        },
        _ => named,
    };
    if !event.is_security() {
        links.unsubscribe = Some(addresses::unsubscribe_link(app, &to.key()));
    }
    let parts = letters::compose(event, &due.delivery.language, &due.facts, &links)?;
    Ok(Prepared::Letter(Box::new(Letter {
        id: due.delivery.id.to_string(),
        to,
        subject: parts.subject,
        text: parts.text,
        html: parts.html,
        unsubscribe: links.unsubscribe,
    })))
}

/// What a webhook is sent (Standard Webhooks): the event, when it happened, and its facts with the ids of what it
/// concerns.
pub(crate) fn message(due: &Due) -> Value {
    let mut data = match &due.facts {
        Value::Object(facts) => facts.clone(),
        _ => Map::new(),
    };
    if let Some(account) = due.account {
        data.insert("account_id".to_owned(), json!(account));
    }
    if let Some(token) = due.delivery.token {
        data.insert("token_id".to_owned(), json!(token));
    }
    data.insert("label".to_owned(), due.label.as_str().into());
    json!({ "type": due.delivery.event, "timestamp": due.at.to_string(), "data": data })
}

/// Whether somebody who was told as a member has left since: a letter may have waited for days.
async fn has_left(app: &App, due: &Due) -> Result<bool, Error> {
    let delivery = &due.delivery;
    let (Some(account), Some(person), RecipientKind::Contact) =
        (delivery.account, delivery.person, delivery.kind)
    else {
        return Ok(false);
    };
    let member = app.store.within(account).member(person).await?;
    Ok(!member.is_some_and(|member| member.person.active))
}

/// Where somebody can act: the token's page, or its account's. What is deleted has no page.
fn console(app: &App, due: &Due) -> String {
    let public_url = &app.settings.public_url;
    let token = due.delivery.token.filter(|_| due.delivery.event != Event::TokenDeleted);
    match (due.account, token) {
        (Some(account), Some(token)) => format!("{public_url}/accounts/{account}/tokens/{token}"),
        (Some(account), None) => format!("{public_url}/accounts/{account}/tokens"),
        (None, _) => public_url.clone(),
    }
}

/// To whom an invitation or a password reset goes, and its link; `None` where it is open no more.
async fn invited(app: &App, due: &Due) -> Result<Option<(EmailAddress, String)>, Error> {
    let id = due.facts.get("invitation").and_then(Value::as_str);
    let Some(id) = id.and_then(|id| id.parse::<InvitationId>().ok()) else { return Ok(None) };
    let Some(invitation) = app.store.invitation(id).await? else { return Ok(None) };
    if invitation.expires_at <= app.clock.wall() {
        return Ok(None);
    }
    let code = code::of_open(app, &invitation);
    let link = code.map(|code| format!("{}/invitation#{}", app.settings.public_url, code.as_str()));
    Ok(link.map(|link| (invitation.email, link)))
}

async fn confirmation(
    app: &App,
    account: Option<AccountId>,
    email: &EmailAddress,
) -> Result<Option<String>, Error> {
    match account {
        Some(account) => addresses::confirm_link(app, account, email).await,
        None => Ok(None),
    }
}
