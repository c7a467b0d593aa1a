//! Sign-in with e-mail address and password. Whoever is unknown, wrong or locked gets one answer, after the same work;
//! guessing is slow for strangers, and never locks out a person on a device they signed in from before.

use std::net::IpAddr;

use countersign_model::{
    actor::Actor,
    digest::Digest,
    id::{RequestId, SessionId, UserId},
    name::EmailAddress,
};
use countersign_store::{AuditDraft, Device, Outcome, Person, Session, Write};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    attempts::{FAILED_SIGN_IN, SIGN_IN_REFUSED},
    sessions::{cookie_tags, mint_cookie},
    throttle::Counted,
};
use crate::{
    app::App,
    caller::{Caller, Identity},
    error::{Error, Kind},
    keys::Purpose,
    limits::{FAILED_SIGN_INS_MAX, PASSWORD_CHARS_MAX, USER_AGENT_BYTES_MAX},
};

/// From where somebody signs in.
pub struct Visitor {
    /// The request.
    pub request_id: RequestId,
    /// From where.
    pub address: Option<IpAddr>,
    /// The cookie of a device that signed in before, if the browser has one.
    pub device: Option<String>,
    /// What the browser calls itself.
    pub user_agent: String,
}

/// A session that began, with the cookies that carry it.
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// Their session.
    pub session: Session,
    /// The value of the session cookie.
    pub cookie: Zeroizing<String>,
    /// The value of the device cookie.
    pub device: Zeroizing<String>,
}

/// Signs a person in.
pub async fn sign_in(app: &App, visitor: &Visitor, email: &str, password: &str) -> Result<SignedIn, Error> {
    refuse_plain_http(app)?;
    // A text that is no address is nobody's, and nothing more is said about it.
    let email = EmailAddress::parse(email).ok();
    let key = email.as_ref().map(EmailAddress::key).unwrap_or_default();
    let person = match &email {
        Some(email) => app.store.person_signing_in(email).await?,
        None => None,
    };
    let device = known_device(app, visitor, person.as_ref()).await?;
    throttle(app, visitor, device, &key)?;
    let admitted = admit(app, person, device.is_some()).await?;
    let hash = admitted.as_ref().and_then(|person| person.password.as_deref());
    let right = fits(password) & app.passwords.verify(bounded(password), hash).await?;
    let Some(person) = admitted.filter(|_| right) else {
        app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, app.clock.wall());
        return Err(refused());
    };
    welcome(app, visitor, device, &person, &key).await?;
    let kept = visitor.device.clone().filter(|_| device.is_some()).map(Zeroizing::new);
    begin(app, visitor, person, kept).await
}

/// The one answer to every sign-in that fails.
fn refused() -> Error {
    Error::new(
        Kind::Unauthenticated,
        SIGN_IN_REFUSED,
        "E-mail address and password do not fit together. Check both; if it keeps failing, ask an administrator for a new password link.",
    )
}

/// A password must not cross the network in the clear. `localhost` is no network.
pub(super) fn refuse_plain_http(app: &App) -> Result<(), Error> {
    let url = app.settings.public_url.as_str();
    let host = url.strip_prefix("http://").map(|rest| rest.rsplit_once(':').map_or(rest, |(host, _)| host));
    let loopback = |host: &str| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    match host {
        None => Ok(()),
        Some(host) if loopback(host) => Ok(()),
        Some(_) => Err(Error::new(
            Kind::Forbidden,
            "sign_in_needs_tls",
            "Sign-in is refused over plain HTTP; put TLS in front and set public_url to its https address.",
        )),
    }
}

/// The device's tag, where this person signed in from it before.
async fn known_device(
    app: &App,
    visitor: &Visitor,
    person: Option<&Person>,
) -> Result<Option<Digest>, Error> {
    let Some(cookie) = visitor.device.as_ref() else { return Ok(None) };
    // Looked for where there is nobody too, so that the time does not tell.
    let user = person.map_or(UserId::from_u128(0), |person| person.id);
    let mut known = None;
    for tag in cookie_tags(app, Purpose::Device, cookie.as_bytes()) {
        known = known.or(app.store.knows_device(user, tag).await?.then_some(tag));
    }
    Ok(known)
}

/// Strangers are counted by address and by the e-mail address they try, anybody's or not; a known device by itself,
/// so that strangers cannot use up its attempts.
fn throttle(app: &App, visitor: &Visitor, device: Option<Digest>, key: &str) -> Result<(), Error> {
    let now = app.clock.now();
    let counted = match device {
        Some(device) => vec![Counted::Device(device)],
        None => visitor.address.map(Counted::Address).into_iter().chain([Counted::Email(key)]).collect(),
    };
    for counted in counted {
        app.throttle.take(counted, now).map_err(|secs| {
            app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, now.wall);
            Error::new(Kind::TooMany, "too_many_sign_ins", "Too many sign-ins failed; wait, then try again.")
                .retry_after(secs)
        })?;
    }
    Ok(())
}

/// Counts the attempt before it is tried, so that no number of attempts at once gets past the limit; answers the person
/// where the password is to be compared.
async fn admit(app: &App, person: Option<Person>, known_device: bool) -> Result<Option<Person>, Error> {
    let now = app.clock.wall();
    let Some(person) = person.filter(|person| person.active && person.password.is_some()) else {
        app.store.count_stranger_sign_in(now).await?;
        return Ok(None);
    };
    let tries = app.store.count_failed_sign_in(person.id, Some(now)).await?;
    Ok((known_device || tries <= FAILED_SIGN_INS_MAX).then_some(person))
}

fn fits(password: &str) -> bool {
    password.chars().nth(PASSWORD_CHARS_MAX).is_none()
}

/// As much of a password as any may have, so that a long one costs no more.
fn bounded(password: &str) -> &str {
    password.char_indices().nth(PASSWORD_CHARS_MAX).map_or(password, |(end, _)| &password[..end])
}

async fn welcome(
    app: &App,
    visitor: &Visitor,
    device: Option<Digest>,
    person: &Person,
    key: &str,
) -> Result<(), Error> {
    app.store.count_failed_sign_in(person.id, None).await?;
    if let Some(device) = device {
        app.throttle.forget(Counted::Device(device));
        return Ok(());
    }
    if let Some(address) = visitor.address {
        app.throttle.give_back(Counted::Address(address));
    }
    app.throttle.forget(Counted::Email(key));
    Ok(())
}

/// Begins a session under a new cookie, and remembers the device; a known one keeps its cookie.
async fn begin(
    app: &App,
    visitor: &Visitor,
    person: Person,
    known_device: Option<Zeroizing<String>>,
) -> Result<SignedIn, Error> {
    let cookie = mint_cookie(app)?;
    let device = known_device.map_or_else(|| mint_cookie(app), Ok)?;
    let session = new_session(app, visitor, &person, &cookie)?;
    let audit = sign_in_entry(app, visitor, &person, session.id);
    let write =
        Write::new(audit).insert_session(&session).remember_device(&new_device(app, &person, &device));
    app.commit(write).await?;
    Ok(SignedIn { person, session, cookie, device })
}

pub(super) fn new_session(
    app: &App,
    visitor: &Visitor,
    person: &Person,
    cookie: &str,
) -> Result<Session, Error> {
    let now = app.clock.wall();
    Ok(Session {
        id: app.random.id(now)?,
        tag: app.keys.tag(Purpose::Session, cookie.as_bytes()),
        user: person.id,
        user_generation: person.generation,
        created_at: now,
        seen_at: now,
        expires_at: now.plus_secs(app.settings.session_secs),
        password_at: now,
        client_address: visitor.address.map(|address| address.to_string()).unwrap_or_default(),
        user_agent: bounded_agent(&visitor.user_agent),
    })
}

pub(super) fn new_device(app: &App, person: &Person, cookie: &str) -> Device {
    Device {
        tag: app.keys.tag(Purpose::Device, cookie.as_bytes()),
        user: person.id,
        seen_at: app.clock.wall(),
    }
}

fn bounded_agent(text: &str) -> String {
    let visible: String = text.chars().filter(|letter| !letter.is_control()).collect();
    visible[..visible.floor_char_boundary(USER_AGENT_BYTES_MAX)].to_owned()
}

fn sign_in_entry(app: &App, visitor: &Visitor, person: &Person, session: SessionId) -> AuditDraft {
    AuditDraft {
        at: app.clock.wall(),
        actor: Actor::User(person.id),
        actor_label: person.email.as_str().to_owned(),
        client_address: visitor.address.map(|address| address.to_string()).unwrap_or_default(),
        request_id: Some(visitor.request_id),
        account: None,
        action: "session.create",
        subject: session.to_string(),
        subject_label: person.email.as_str().to_owned(),
        outcome: Outcome::Done,
        before: Value::Null,
        after: json!({ "user_agent": bounded_agent(&visitor.user_agent) }),
    }
}

/// Whether this is the person's password, for somebody who holds an invitation of theirs. Counted like a sign-in.
pub(super) async fn compare(
    app: &App,
    visitor: &Visitor,
    person: &Person,
    password: &str,
) -> Result<bool, Error> {
    let key = person.email.key();
    let device = known_device(app, visitor, Some(person)).await?;
    throttle(app, visitor, device, &key)?;
    let admitted = admit(app, Some(person.clone()), device.is_some()).await?;
    let hash = admitted.as_ref().and_then(|person| person.password.as_deref());
    let right = fits(password) & app.passwords.verify(bounded(password), hash).await?;
    if right && admitted.is_some() {
        welcome(app, visitor, device, person, &key).await?;
        return Ok(true);
    }
    app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, app.clock.wall());
    Ok(false)
}

/// Checks the password of a person who is signed in already. They are known, so every failure is an entry of its own.
pub(super) async fn check_password(
    app: &App,
    caller: &Caller,
    person: &Person,
    password: &str,
) -> Result<(), Error> {
    let Identity::Person { session, .. } = &caller.identity else { return Err(Error::unauthenticated()) };
    let counted = Counted::Device(session.tag);
    app.throttle.take(counted, app.clock.now()).map_err(|secs| {
        Error::new(Kind::TooMany, "too_many_passwords", "Too many wrong passwords; wait, then try again.")
            .retry_after(secs)
    })?;
    let right = fits(password) & app.passwords.verify(bounded(password), person.password.as_deref()).await?;
    if right {
        app.throttle.forget(counted);
        return Ok(());
    }
    let deed = crate::caller::Deed {
        action: "session.password_refused",
        subject: session.id.to_string(),
        subject_label: person.email.as_str(),
        before: Value::Null,
        after: Value::Null,
    };
    let draft = caller.audit(app, Actor::User(person.id), None, deed);
    app.store.commit(Write::new(AuditDraft { outcome: Outcome::Refused, ..draft })).await?;
    Err(Error::new(Kind::Invalid, "password_wrong", "This is not your password.").at_field("password"))
}
