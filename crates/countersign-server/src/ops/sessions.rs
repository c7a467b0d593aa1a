//! Sessions of people in the console: begun at sign-in, resumed by a cookie, renewed when the password is entered again,
//! ended one by one or all. The cookie itself is kept nowhere; the store has its keyed tag.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_model::{
    actor::Actor,
    digest::Digest,
    id::{SessionId, UserId},
    time::Timestamp,
};
use countersign_store::{Membership, Person, Session, Write};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::sign_in::check_password;
use crate::{
    app::App,
    caller::{Caller, Deed, Identity},
    error::{Error, Kind},
    keys::Purpose,
    limits::PASSWORD_FRESH_SECS,
};

/// Random bytes of a cookie.
const COOKIE_LEN: usize = 32;
/// Characters of a cookie: base64url without padding.
const COOKIE_CHARS: usize = 43;
/// A session is noted as used when that is so long ago.
const SEEN_RESOLUTION_SECS: i64 = 60;

/// A new value for a cookie.
pub(super) fn mint_cookie(app: &App) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(app.random.bytes::<COOKIE_LEN>()?);
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}

/// The tags a cookie may be kept by, the likeliest first; none for what cannot be one of ours.
pub(super) fn cookie_tags(app: &App, purpose: Purpose, cookie: &[u8]) -> Vec<Digest> {
    if cookie.len() == COOKIE_CHARS { app.keys.tags(purpose, cookie) } else { Vec::new() }
}

/// Who holds this cookie. An ended session and a made-up one are one answer.
pub async fn resume(app: &App, cookie: &[u8]) -> Result<Identity, Error> {
    let ended = || Error::new(Kind::Unauthenticated, "session_ended", "Your session ended; sign in again.");
    let mut session = None;
    for tag in cookie_tags(app, Purpose::Session, cookie) {
        session = app.store.session(tag).await?;
        if session.is_some() {
            break;
        }
    }
    let session = session.ok_or_else(ended)?;
    let person = app.store.person(session.user).await?.ok_or_else(ended)?;
    let now = app.clock.wall();
    if !is_live(app, &session, now) || !person.active || person.generation != session.user_generation {
        return Err(ended());
    }
    if session.seen_at.plus_secs(SEEN_RESOLUTION_SECS) <= now {
        app.store.touch_session(session.id, now).await?;
    }
    Ok(Identity::Person { person: Arc::new(person), session: Arc::new(session) })
}

fn is_live(app: &App, session: &Session, now: Timestamp) -> bool {
    now < session.expires_at && now < session.seen_at.plus_secs(app.settings.session_idle_secs)
}

/// Until when this session opens what needs a password just entered.
pub fn password_fresh_until(session: &Session) -> Timestamp {
    session.password_at.plus_secs(PASSWORD_FRESH_SECS)
}

/// The accounts of a person.
pub async fn memberships(app: &App, person: UserId) -> Result<Vec<Membership>, Error> {
    Ok(app.store.memberships(person).await?)
}

/// The live sessions of a person, newest first.
pub async fn list(app: &App, person: &Person) -> Result<Vec<Session>, Error> {
    let now = app.clock.wall();
    let mut sessions = app.store.sessions_of(person.id).await?;
    sessions.retain(|session| is_live(app, session, now) && session.user_generation == person.generation);
    Ok(sessions)
}

/// The password entered again: the session goes on under a new cookie, fresh for what needs it.
pub async fn renew(
    app: &App,
    caller: &Caller,
    password: &str,
) -> Result<(Session, Zeroizing<String>), Error> {
    let (person, session) = person_of(caller)?;
    check_password(app, caller, person, password).await?;
    let cookie = mint_cookie(app)?;
    let tag = app.keys.tag(Purpose::Session, cookie.as_bytes());
    let now = app.clock.wall();
    let deed = deed("session.renew", session.id, Value::Null);
    let write = Write::new(caller.audit(app, Actor::User(person.id), None, deed));
    app.commit(write.renew_session(session.id, tag, now)).await?;
    Ok((Session { tag, password_at: now, ..session.clone() }, cookie))
}

/// Ends one session of the caller.
pub async fn end(app: &App, caller: &Caller, id: SessionId) -> Result<(), Error> {
    let (person, _) = person_of(caller)?;
    let known = app.store.sessions_of(person.id).await?.iter().any(|session| session.id == id);
    if !known {
        return Err(Error::not_found());
    }
    let write =
        Write::new(caller.audit(app, Actor::User(person.id), None, deed("session.end", id, Value::Null)));
    app.commit(write.end_session(id, person.id)).await?;
    Ok(())
}

/// Ends all sessions of the caller but this one.
pub async fn end_others(app: &App, caller: &Caller) -> Result<(), Error> {
    let (person, session) = person_of(caller)?;
    let deed = deed("session.end_others", session.id, json!({ "kept": session.id.to_string() }));
    let write = Write::new(caller.audit(app, Actor::User(person.id), None, deed));
    app.commit(write.end_other_sessions(person.id, Some(session.id))).await?;
    Ok(())
}

/// The person and session of a caller that is one.
pub(super) fn person_of(caller: &Caller) -> Result<(&Person, &Session), Error> {
    match &caller.identity {
        Identity::Person { person, session } => Ok((person, session)),
        _ => Err(Error::unauthenticated()),
    }
}

fn deed(action: &'static str, session: SessionId, after: Value) -> Deed<'static> {
    Deed { action, subject: session.to_string(), subject_label: "", before: Value::Null, after }
}

/// Refuses somebody who did not enter their password a moment ago: a session that was left open is not enough for what
/// shows much at once.
pub fn require_password(app: &App, session: &Session, purpose: &str) -> Result<(), Error> {
    if app.clock.wall() < password_fresh_until(session) {
        return Ok(());
    }
    let detail = format!("Enter your password again to {purpose}; it then counts for 5 minutes.");
    Err(Error::new(Kind::Forbidden, "password_required", detail))
}
