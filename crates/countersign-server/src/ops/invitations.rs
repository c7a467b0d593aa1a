//! Invitations: a one-time link with which somebody joins an account, becomes an operator, or chooses a new password. The
//! code is in the answer that makes it and in the letter that hands it over; what is kept is its keyed tag.

use countersign_model::{
    actor::Actor,
    event::Event,
    id::{AccountId, InvitationId},
    name::{EmailAddress, PersonName},
};
use countersign_store::{AuditDraft, Conflict, Invitation, Outcome, Page, PageAsk, Person, Write};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    attempts::FAILED_SIGN_IN,
    members::{check_role, may_give},
    notices, password_rules, profile,
    sessions::mint_cookie,
    sign_in::{self, SignedIn, Visitor},
};
use crate::{
    app::App,
    caller::{Caller, Deed, Identity},
    error::{Error, Kind},
    keys::Purpose,
    limits::{CODE_BYTES_MAX, INVITATION_SECS},
    rights::{Granted, ManageMembers},
};

/// What the invitation of an operator has in place of a role.
pub(super) const OPERATOR_ROLE: &str = "operator";

/// An invitation with its one-time code.
pub struct Issued {
    /// The invitation.
    pub invitation: Invitation,
    /// The code, shown once.
    pub code: Zeroizing<String>,
}

/// What somebody says who accepts.
pub struct Acceptance {
    /// The code of the link.
    pub code: Zeroizing<String>,
    /// Their name; a person who is known keeps theirs.
    pub name: Option<PersonName>,
    /// Their password: a new one, or the present one of a person who joins another account.
    pub password: Zeroizing<String>,
    /// `en` or `zh-CN`.
    pub language: Option<String>,
}

impl Issued {
    /// The link to give to the person. The code stands behind `#`, which browsers keep to themselves.
    pub fn link(&self, app: &App) -> String {
        format!("{}/invitation#{}", app.settings.public_url, self.code.as_str())
    }
}

/// Open invitations, newest first.
pub async fn list(
    app: &App,
    granted: &Granted<ManageMembers>,
    page: &PageAsk,
) -> Result<Page<Invitation>, Error> {
    Ok(app.store.within(granted.account.id).invitations(page).await?)
}

/// Invites somebody into the account.
pub async fn create(
    app: &App,
    granted: &Granted<ManageMembers>,
    email: EmailAddress,
    role: &str,
) -> Result<Issued, Error> {
    may_give(granted, check_role(app, &granted.account.kind, role)?)?;
    if let Some(person) = app.store.person_by_email(&email).await?
        && app.store.within(granted.account.id).member(person.id).await?.is_some()
    {
        return Err(Conflict::AlreadyMember.into());
    }
    let draft = draft(app, &granted.caller, Some(granted.account.id), email, Some(role.to_owned()))?;
    let what = deed("invitation.create", &draft.invitation);
    let write = Write::new(granted.audit(app, what)).insert_invitation(&draft.invitation);
    let told = (Event::Invitation, &draft.invitation);
    let name = Some(granted.account.name.as_str());
    app.commit(notices::invitation(app, &granted.caller, write, told, name)?).await?;
    Ok(draft)
}

/// Withdraws an invitation: its link no longer works.
pub async fn withdraw(app: &App, granted: &Granted<ManageMembers>, id: InvitationId) -> Result<(), Error> {
    let what = Deed {
        action: "invitation.withdraw",
        subject: id.to_string(),
        subject_label: "",
        before: Value::Null,
        after: Value::Null,
    };
    let write = Write::new(granted.audit(app, what)).spend_invitation(id, Some(granted.account.id));
    app.commit(write)
        .await
        .map_err(|error| if error.code == "code_spent" { Error::not_found() } else { error })?;
    Ok(())
}

/// An invitation that is not committed yet.
pub(super) fn draft(
    app: &App,
    caller: &Caller,
    account: Option<AccountId>,
    email: EmailAddress,
    role: Option<String>,
) -> Result<Issued, Error> {
    let now = app.clock.wall();
    let id = app.random.id(now)?;
    let code = notices::code::of_new(app, id);
    let created_by = match &caller.identity {
        Identity::Person { person, .. } => Some(person.id),
        _ => None,
    };
    let invitation = Invitation {
        id,
        account,
        email,
        role,
        code: app.keys.tag(Purpose::Code, code.as_bytes()),
        expires_at: now.plus_secs(INVITATION_SECS),
        created_at: now,
        created_by,
    };
    Ok(Issued { invitation, code })
}

pub(super) fn deed<'i>(action: &'static str, invitation: &'i Invitation) -> Deed<'i> {
    Deed {
        action,
        subject: invitation.id.to_string(),
        subject_label: invitation.email.as_str(),
        before: Value::Null,
        after: json!({
            "email": invitation.email.as_str(),
            "role": invitation.role,
            "expires_at": invitation.expires_at.to_string(),
        }),
    }
}

/// Accepts an invitation, and signs the person in.
pub async fn accept(app: &App, visitor: &Visitor, acceptance: Acceptance) -> Result<SignedIn, Error> {
    sign_in::refuse_plain_http(app)?;
    let Some(invitation) = open(app, &acceptance.code).await? else {
        app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, app.clock.wall());
        return Err(Conflict::CodeSpent.into());
    };
    let known = app.store.person_by_email(&invitation.email).await?;
    let is_new = known.is_none();
    let person = match known {
        Some(person) if !person.active => {
            let detail = "You are switched off on this platform; ask an operator.";
            return Err(Error::new(Kind::Forbidden, "person_inactive", detail));
        }
        Some(person) if invitation.account.is_some() && person.password.is_some() => {
            confirm(app, visitor, &person, &acceptance.password).await?;
            person
        }
        Some(person) => with_new_password(app, person, &acceptance.password).await?,
        None => new_person(app, &invitation, &acceptance).await?,
    };
    let (cookie, device) = (mint_cookie(app)?, mint_cookie(app)?);
    let session = sign_in::new_session(app, visitor, &person, &cookie)?;
    let write = Write::new(entry(app, visitor, &invitation, &person))
        .spend_invitation(invitation.id, invitation.account);
    let write = if is_new { write.insert_person(&person) } else { write.update_person(&person) };
    let write = if invitation.account.is_none() { write.end_other_sessions(person.id, None) } else { write };
    let write = match (invitation.account, &invitation.role) {
        (Some(account), Some(role)) => write.insert_member(account, person.id, role, app.clock.wall()),
        _ => write,
    };
    let write = write.insert_session(&session).remember_device(&sign_in::new_device(app, &person, &device));
    app.commit(write).await?;
    Ok(SignedIn { person, session, cookie, device })
}

/// The invitation with this code, if it still works.
async fn open(app: &App, code: &str) -> Result<Option<Invitation>, Error> {
    if code.len() > CODE_BYTES_MAX {
        return Ok(None);
    }
    let mut found = None;
    for tag in app.keys.tags(Purpose::Code, code.as_bytes()) {
        found = app.store.invitation_by_code(tag).await?;
        if found.is_some() {
            break;
        }
    }
    Ok(found.filter(|invitation| app.clock.wall() < invitation.expires_at))
}

/// Somebody known joins another account: the code alone must not be enough to act as them.
async fn confirm(app: &App, visitor: &Visitor, person: &Person, password: &str) -> Result<(), Error> {
    let signed_in = sign_in::compare(app, visitor, person, password).await?;
    if signed_in {
        return Ok(());
    }
    let detail = "You are known here already; enter your present password to join this account too.";
    Err(Error::new(Kind::Invalid, "password_wrong", detail).at_field("password"))
}

async fn with_new_password(app: &App, person: Person, password: &str) -> Result<Person, Error> {
    profile::check_new(app, &person, password).await?;
    let hash = app.passwords.hash(&app.random, password).await?;
    Ok(Person { password: Some(hash), generation: person.generation.saturating_add(1), ..person })
}

async fn new_person(app: &App, invitation: &Invitation, acceptance: &Acceptance) -> Result<Person, Error> {
    let Some(name) = acceptance.name.clone() else { return Err(Error::invalid("name", "it must be given")) };
    let account = match invitation.account {
        Some(id) => app.store.account(id).await?,
        None => None,
    };
    let context = [
        invitation.email.as_str(),
        name.as_str(),
        account.as_ref().map_or("", |account| account.name.as_str()),
    ];
    password_rules::check(&acceptance.password, &context)?;
    let now = app.clock.wall();
    Ok(Person {
        id: app.random.id(now)?,
        email: invitation.email.clone(),
        name,
        language: profile::check_language(acceptance.language.clone().unwrap_or_else(|| "en".to_owned()))?,
        password: Some(app.passwords.hash(&app.random, &acceptance.password).await?),
        operator: invitation.account.is_none() && invitation.role.as_deref() == Some(OPERATOR_ROLE),
        active: true,
        generation: 1,
        failed_sign_ins: 0,
        failed_at: None,
        edit: 1,
        created_at: now,
    })
}

fn entry(app: &App, visitor: &Visitor, invitation: &Invitation, person: &Person) -> AuditDraft {
    let Deed { action, subject, subject_label, before, after } = deed("invitation.accept", invitation);
    AuditDraft {
        at: app.clock.wall(),
        actor: Actor::User(person.id),
        actor_label: person.email.as_str().to_owned(),
        client_address: visitor.address.map(|address| address.to_string()).unwrap_or_default(),
        request_id: Some(visitor.request_id),
        account: invitation.account,
        action,
        subject,
        subject_label: subject_label.to_owned(),
        outcome: Outcome::Done,
        before,
        after,
    }
}
