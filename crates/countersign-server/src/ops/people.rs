//! People, as operators see them: find, edit, switch off, make operators, and start a new password.

use countersign_model::{event::Event, id::UserId, name::EmailAddress};
use countersign_store::{Page, PageAsk, Person, PersonFilter, Write};
use serde_json::{Value, json};

use super::{
    invitations::{self, Issued, OPERATOR_ROLE},
    notices,
    profile::{ProfileEdit, deed, facts},
};
use crate::{
    app::App,
    error::{Error, Kind},
    rights::Operator,
};

/// What may change; absent is unchanged.
#[derive(Default)]
pub struct PersonEdit {
    /// Name and language.
    pub profile: ProfileEdit,
    /// Whether they may sign in.
    pub active: Option<bool>,
    /// Whether they run the platform.
    pub operator: Option<bool>,
}

/// People, by address.
pub async fn list(
    app: &App,
    _: &Operator,
    filter: &PersonFilter,
    page: &PageAsk,
) -> Result<Page<Person>, Error> {
    Ok(app.store.people(filter, page).await?)
}

/// A person.
pub async fn find(app: &App, _: &Operator, id: UserId) -> Result<Person, Error> {
    app.store.person(id).await?.ok_or_else(Error::not_found)
}

/// Changes a person. Switching somebody off ends their sessions in the same write.
pub async fn edit(
    app: &App,
    operator: &Operator,
    id: UserId,
    seen: u64,
    edit: PersonEdit,
) -> Result<Person, Error> {
    let before = find(app, operator, id).await?;
    let mut after = Person { edit: seen, ..before.clone() };
    edit.profile.apply(&mut after)?;
    after.active = edit.active.unwrap_or(after.active);
    after.operator = edit.operator.unwrap_or(after.operator);
    let switched_off = before.active && !after.active;
    if switched_off {
        after.generation = after.generation.saturating_add(1);
    }
    let audit = operator.audit(app, None, deed("person.update", &before, facts(&before), facts(&after)));
    let write = Write::new(audit).update_person(&after);
    let write = if switched_off { write.end_other_sessions(id, None) } else { write };
    app.commit(write).await?;
    find(app, operator, id).await
}

/// Invites somebody to run the platform.
pub async fn invite_operator(app: &App, operator: &Operator, email: EmailAddress) -> Result<Issued, Error> {
    if app.store.person_by_email(&email).await?.is_some() {
        let detail = "This person is known already; make them an operator on their page.";
        return Err(Error::new(Kind::Conflict, "email_taken", detail).at_field("email"));
    }
    let draft = invitations::draft(app, &operator.caller, None, email, Some(OPERATOR_ROLE.to_owned()))?;
    let what = invitations::deed("invitation.create", &draft.invitation);
    let write = Write::new(operator.audit(app, None, what)).insert_invitation(&draft.invitation);
    let told = (Event::Invitation, &draft.invitation);
    app.commit(notices::invitation(app, &operator.caller, write, told, None)?).await?;
    Ok(draft)
}

/// Makes a link with which a person chooses a new password. Nobody else ever knows one.
pub async fn reset_password(app: &App, operator: &Operator, id: UserId) -> Result<Issued, Error> {
    let person = find(app, operator, id).await?;
    if !person.active {
        let detail = "This person is switched off; switch them on first.";
        return Err(Error::new(Kind::Conflict, "person_inactive", detail));
    }
    let draft = invitations::draft(app, &operator.caller, None, person.email.clone(), None)?;
    let after = json!({ "expires_at": draft.invitation.expires_at.to_string() });
    let what = deed("person.password_reset", &person, Value::Null, after);
    let write = Write::new(operator.audit(app, None, what)).insert_invitation(&draft.invitation);
    let told = (Event::PasswordReset, &draft.invitation);
    app.commit(notices::invitation(app, &operator.caller, write, told, None)?).await?;
    Ok(draft)
}
