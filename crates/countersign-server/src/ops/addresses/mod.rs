//! E-mail addresses outside of the members that are named as contacts of tokens. Before such an address is told of
//! anything it is asked, and says yes by following a link; nobody is written to on somebody else's word. What happened
//! before it said yes is not told afterwards: it was nobody's to hear, and may no longer be so.

mod code;
mod subscription;

use countersign_model::{actor::Actor, event::Event, id::AccountId, name::EmailAddress};
use countersign_store::{
    Account, Address, AddressAsk, AddressState, Audience, AuditDraft, Conflict, Notice, Page, PageAsk, Write,
};
use serde_json::{Value, json};

pub use self::subscription::{resubscribe, unsubscribe, unsubscribe_link};
use super::{attempts::FAILED_SIGN_IN, sign_in::Visitor};
use crate::{
    app::App,
    caller::{Deed, Identity},
    error::{Error, Kind},
    keys::Purpose,
    limits::{
        ADDRESS_ASKED_AGAIN_SECS, ADDRESS_CODE_SECS, ADDRESSES_ASKED_PER_DAY, ADDRESSES_OF_ACCOUNT_MAX,
        CODE_BYTES_MAX, TIMES_ASKED_PER_DAY,
    },
    rights::{EditTokens, Granted, Right, ViewTokens},
};

/// An address that said yes, and to whom.
pub struct Confirmed {
    /// The address.
    pub email: EmailAddress,
    /// The name of the account.
    pub account: String,
}

/// Why an address is not asked now.
enum NotNow {
    /// It was asked not long ago; seconds until it may be asked again.
    Asked(u32),
    /// The account asked too many today, or too many accounts asked it.
    TooMany,
}

/// The addresses of the account, in the order of the alphabet.
pub async fn list(app: &App, granted: &Granted<ViewTokens>, page: &PageAsk) -> Result<Page<Address>, Error> {
    Ok(app.store.within(granted.account.id).addresses(page).await?)
}

/// Adds to a write the questions to addresses that a token names from now on and that did not say yes. An address that
/// may not be asked now is kept, and can be asked later by hand; so can one that a mail server refused.
pub(super) async fn asking<R: Right>(
    app: &App,
    granted: &Granted<R>,
    mut write: Write,
    emails: &[EmailAddress],
) -> Result<Write, Error> {
    let account = &granted.account;
    let language = match &granted.caller.identity {
        Identity::Person { person, .. } => person.language.as_str(),
        Identity::Token(_) | Identity::Platform(_) | Identity::Cli => "en",
    };
    let mut more = 0;
    for email in emails {
        let within = app.store.within(account.id);
        let known = within.address(email).await?;
        let settled = known.as_ref().is_some_and(|address| address.state != AddressState::Unconfirmed);
        if settled || within.is_member_address(email).await? {
            continue;
        }
        write = match may_ask(app, account.id, email, known.as_ref(), more).await? {
            Ok(()) => {
                more += 1;
                ask(app, write, account, email, language)?
            }
            Err(_) => write.note_address(account.id, email, language),
        };
    }
    Ok(write)
}

/// Asks an address again, because somebody of the account wants it.
pub async fn ask_again(
    app: &App,
    granted: &Granted<EditTokens>,
    email: &EmailAddress,
) -> Result<Address, Error> {
    let within = app.store.within(granted.account.id);
    let Some(address) = within.address(email).await? else { return Err(Error::not_found()) };
    if address.state == AddressState::Confirmed {
        let detail = "This address said yes already; there is nothing to ask.";
        return Err(Error::new(Kind::Conflict, "address_confirmed", detail).at_field("email"));
    }
    match may_ask(app, granted.account.id, email, Some(&address), 0).await? {
        Ok(()) => {}
        Err(NotNow::Asked(secs)) => {
            let detail =
                "This address was asked within the last 24 hours; wait, or ask whoever reads it to look.";
            return Err(Error::new(Kind::TooMany, "address_asked", detail).retry_after(secs));
        }
        Err(NotNow::TooMany) => {
            let detail = format!(
                "At most {ADDRESSES_ASKED_PER_DAY} addresses of an account are asked in 24 hours, and no address more than \
                 {TIMES_ASKED_PER_DAY} times; try again tomorrow."
            );
            let wait = u32::try_from(ADDRESS_ASKED_AGAIN_SECS).unwrap_or(u32::MAX);
            return Err(Error::new(Kind::TooMany, "address_limit", detail).retry_after(wait));
        }
    }
    let what = Deed {
        action: "address.ask",
        subject: address.email.as_str().to_owned(),
        subject_label: address.email.as_str(),
        before: json!({ "state": address.state.as_str() }),
        after: json!({ "state": AddressState::Unconfirmed.as_str() }),
    };
    let write = Write::new(granted.audit(app, what));
    app.commit(ask(app, write, &granted.account, &address.email, &address.language)?).await?;
    within.address(email).await?.ok_or_else(Error::not_found)
}

async fn may_ask(
    app: &App,
    account: AccountId,
    email: &EmailAddress,
    known: Option<&Address>,
    more: u32,
) -> Result<Result<(), NotNow>, Error> {
    let now = app.clock.wall();
    let since = now.plus_secs(-ADDRESS_ASKED_AGAIN_SECS);
    if let Some(asked_at) = known.and_then(|address| address.asked_at).filter(|asked_at| *asked_at > since) {
        let secs = asked_at.unix_secs() - since.unix_secs();
        return Ok(Err(NotNow::Asked(u32::try_from(secs).unwrap_or_default().max(1))));
    }
    let counts = app.store.within(account).address_counts(since).await?;
    let is_new = u32::from(known.is_none());
    let room = counts.asked + more < ADDRESSES_ASKED_PER_DAY
        && counts.known + more + is_new <= ADDRESSES_OF_ACCOUNT_MAX
        && app.store.times_asked(email, since).await? < TIMES_ASKED_PER_DAY;
    Ok(if room { Ok(()) } else { Err(NotNow::TooMany) })
}

fn ask(
    app: &App,
    write: Write,
    account: &Account,
    email: &EmailAddress,
    language: &str,
) -> Result<Write, Error> {
    let now = app.clock.wall();
    let code = code::of_question(app, account.id, email, now);
    let question = AddressAsk {
        account: account.id,
        email: email.clone(),
        language: language.to_owned(),
        code: app.keys.tag(Purpose::Code, code.as_bytes()),
        asked_at: now,
        code_expires_at: now.plus_secs(ADDRESS_CODE_SECS),
    };
    let notice = Notice {
        id: app.random.id(now)?,
        at: now,
        account: Some(account.id),
        event: Event::AddressConfirm,
        token: None,
        label: email.as_str().to_owned(),
        // Whoever gets this never asked for it: no word of it but the account's name is somebody else's choice.
        facts: json!({ "account": account.name.as_str(), "email": email.as_str() }),
        once: None,
    };
    Ok(write.ask_address(&question).post(&notice, Audience::Address { email, language }))
}

/// The link that confirms an address, for the letter that asks. `None` where there is nothing to ask any more.
pub async fn confirm_link(
    app: &App,
    account: AccountId,
    email: &EmailAddress,
) -> Result<Option<String>, Error> {
    let Some(address) = app.store.within(account).address(email).await? else { return Ok(None) };
    let code = code::of_asked(app, &address);
    Ok(code.map(|code| format!("{}/confirm#{}", app.settings.public_url, code.as_str())))
}

/// Somebody followed the link: from now on the address is told of what happens to tokens that name it.
pub async fn confirm(app: &App, visitor: &Visitor, code: &str) -> Result<Confirmed, Error> {
    let Some(address) = asked_with(app, code).await? else { return Err(refused(app, visitor)) };
    let Some(kept) = address.code else { return Err(refused(app, visitor)) };
    let Some(account) = app.store.account(address.account).await? else { return Err(refused(app, visitor)) };
    let audit = entry(app, visitor, Some(address.account), "address.confirm", address.email.as_str());
    app.commit(Write::new(audit).confirm_address(&address, kept, app.clock.wall())).await?;
    Ok(Confirmed { email: address.email, account: account.name.as_str().to_owned() })
}

async fn asked_with(app: &App, code: &str) -> Result<Option<Address>, Error> {
    if code.len() > CODE_BYTES_MAX {
        return Ok(None);
    }
    for tag in app.keys.tags(Purpose::Code, code.as_bytes()) {
        if let Some(address) = app.store.address_by_code(tag).await? {
            let works = address.code_expires_at.is_some_and(|end| app.clock.wall() < end);
            return Ok(Some(address).filter(|_| works));
        }
    }
    Ok(None)
}

/// A mail server refused an address for good. Unaudited attempts are the outbox's; this changes who is told.
pub async fn bounced(app: &App, email: &str, reason: &str) -> Result<(), Error> {
    let mut audit = by_system(app, "address.bounce", email);
    audit.after = json!({ "reason": reason });
    app.commit(Write::new(audit).bounce_address(email, app.clock.wall(), reason)).await.map(|_| ())
}

/// A letter was taken: a refusal from before is forgotten. Where there was none, nothing is written.
pub async fn arrived(app: &App, email: &str) -> Result<(), Error> {
    if app.store.bounce(email).await?.is_none() {
        return Ok(());
    }
    app.commit(Write::new(by_system(app, "address.arrive", email)).forget_bounce(email)).await.map(|_| ())
}

/// The same answer whether a code is unknown, spent or too old.
fn refused(app: &App, visitor: &Visitor) -> Error {
    app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, app.clock.wall());
    Conflict::CodeSpent.into()
}

/// An audit entry of somebody with a code and no session.
fn entry(
    app: &App,
    visitor: &Visitor,
    account: Option<AccountId>,
    action: &'static str,
    email: &str,
) -> AuditDraft {
    AuditDraft {
        actor: Actor::Anonymous,
        client_address: visitor.address.map(|address| address.to_string()).unwrap_or_default(),
        request_id: Some(visitor.request_id),
        actor_label: email.to_owned(),
        account,
        ..by_system(app, action, email)
    }
}

fn by_system(app: &App, action: &'static str, email: &str) -> AuditDraft {
    Deed { action, subject: email.to_owned(), subject_label: email, before: Value::Null, after: Value::Null }
        .by_system(app.clock.wall())
}
