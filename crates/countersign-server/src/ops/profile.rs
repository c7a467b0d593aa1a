//! What people change about themselves: name, language, password.

use countersign_model::{actor::Actor, name::PersonName};
use countersign_store::{Person, Write};
use serde_json::{Value, json};

use super::{
    password_rules,
    sessions::{mint_cookie, person_of},
    sign_in::{self, SignedIn, Visitor},
};
use crate::{
    app::App,
    caller::{Caller, Deed},
    error::Error,
};

/// Languages of the console.
pub const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

/// What may change; absent is unchanged.
#[derive(Default)]
pub struct ProfileEdit {
    /// Their name.
    pub name: Option<PersonName>,
    /// `en` or `zh-CN`.
    pub language: Option<String>,
}

impl ProfileEdit {
    /// Applies the edit to a person.
    pub(super) fn apply(self, person: &mut Person) -> Result<(), Error> {
        if let Some(name) = self.name {
            person.name = name;
        }
        if let Some(language) = self.language {
            person.language = check_language(language)?;
        }
        Ok(())
    }
}

/// Reads a language.
pub(super) fn check_language(language: String) -> Result<String, Error> {
    if LANGUAGES.contains(&language.as_str()) {
        Ok(language)
    } else {
        Err(Error::invalid("language", format!("it must be one of {}", LANGUAGES.join(", "))))
    }
}

/// Changes the caller's name or language.
pub async fn edit(app: &App, caller: &Caller, edit: ProfileEdit) -> Result<Person, Error> {
    let (before, _) = person_of(caller)?;
    let mut after = before.clone();
    edit.apply(&mut after)?;
    let deed = deed("person.update", before, facts(before), facts(&after));
    app.commit(Write::new(caller.audit(app, Actor::User(before.id), None, deed)).update_person(&after))
        .await?;
    app.store.person(before.id).await?.ok_or_else(Error::not_found)
}

/// Gives the caller a new password. Every session ends, and this one goes on under a new cookie.
pub async fn change_password(
    app: &App,
    caller: &Caller,
    visitor: &Visitor,
    current: &str,
    new: &str,
) -> Result<SignedIn, Error> {
    let (before, _) = person_of(caller)?;
    sign_in::check_password(app, caller, before, current).await.map_err(|error| match error.field {
        Some(_) => error.at_field("current"),
        None => error,
    })?;
    check_new(app, before, new).await.map_err(|error| error.at_field("new"))?;
    let hash = app.passwords.hash(&app.random, new).await?;
    let after =
        Person { password: Some(hash), generation: before.generation.saturating_add(1), ..before.clone() };
    let (cookie, device) = (mint_cookie(app)?, mint_cookie(app)?);
    let session = sign_in::new_session(app, visitor, &after, &cookie)?;
    let deed = deed("person.password", before, Value::Null, json!({ "sessions": "ended" }));
    let write = Write::new(caller.audit(app, Actor::User(before.id), None, deed))
        .update_person(&after)
        .end_other_sessions(before.id, None)
        .insert_session(&session)
        .remember_device(&sign_in::new_device(app, &after, &device));
    app.commit(write).await?;
    Ok(SignedIn { person: after, session, cookie, device })
}

/// Checks a new password against the rules and what is known of the person.
pub(super) async fn check_new(app: &App, person: &Person, password: &str) -> Result<(), Error> {
    let memberships = app.store.memberships(person.id).await?;
    let mut context = vec![person.email.as_str(), person.name.as_str()];
    context.extend(memberships.iter().map(|membership| membership.account.name.as_str()));
    password_rules::check(password, &context)
}

pub(super) fn deed<'p>(action: &'static str, person: &'p Person, before: Value, after: Value) -> Deed<'p> {
    Deed { action, subject: person.id.to_string(), subject_label: person.email.as_str(), before, after }
}

/// What the audit trail keeps of a person.
pub(super) fn facts(person: &Person) -> Value {
    json!({
        "email": person.email.as_str(),
        "name": person.name.as_str(),
        "language": person.language,
        "operator": person.operator,
        "active": person.active,
    })
}
