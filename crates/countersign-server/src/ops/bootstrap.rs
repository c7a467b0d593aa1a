//! The first operator of an installation: made once, with a code only the owner of the machine has seen. Before that
//! nobody is anybody, so there are no default credentials to forget.

use countersign_model::{
    actor::Actor,
    name::{EmailAddress, PersonName},
};
use countersign_store::{AuditDraft, Bootstrap, Conflict, Outcome, Person, Write};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    attempts::FAILED_SIGN_IN,
    password_rules, profile,
    sessions::mint_cookie,
    sign_in::{self, SignedIn, Visitor},
};
use crate::{
    app::App,
    caller::Deed,
    error::Error,
    keys::Purpose,
    limits::{BOOTSTRAP_SECS, CODE_BYTES_MAX},
};

/// What the first operator says.
pub struct FirstOperator {
    /// The code.
    pub code: Zeroizing<String>,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub name: PersonName,
    /// Their password.
    pub password: Zeroizing<String>,
    /// `en` or `zh-CN`.
    pub language: Option<String>,
}

/// Issues a new code in place of any other, where there is no operator yet. The binary shows it to whoever started the
/// server, and nobody else.
pub async fn issue(app: &App) -> Result<Option<Zeroizing<String>>, Error> {
    if app.store.has_operator().await? {
        return Ok(None);
    }
    let code = mint_cookie(app)?;
    let now = app.clock.wall();
    let expires_at = now.plus_secs(BOOTSTRAP_SECS);
    let bootstrap = Bootstrap { code: app.keys.tag(Purpose::Code, code.as_bytes()), expires_at };
    let after = json!({ "expires_at": expires_at.to_string() });
    let audit = Deed {
        action: "bootstrap.issue",
        subject: String::new(),
        subject_label: "",
        before: Value::Null,
        after,
    }
    .by_system(now);
    app.commit(Write::new(audit).issue_bootstrap(&bootstrap)).await?;
    Ok(Some(code))
}

/// Whether the installation waits for its first operator.
pub async fn is_open(app: &App) -> Result<bool, Error> {
    Ok(!app.store.has_operator().await?)
}

/// Makes the first operator, and signs them in. Of many at once with the right code exactly one succeeds.
pub async fn redeem(app: &App, visitor: &Visitor, first: FirstOperator) -> Result<SignedIn, Error> {
    sign_in::refuse_plain_http(app)?;
    let now = app.clock.wall();
    let open = app.store.bootstrap().await?.filter(|bootstrap| now < bootstrap.expires_at);
    let fits = first.code.len() <= CODE_BYTES_MAX;
    let tags = if fits { app.keys.tags(Purpose::Code, first.code.as_bytes()) } else { Vec::new() };
    let right = open.map(|bootstrap| bootstrap.code).filter(|code| tags.contains(code));
    if right.is_none() || app.store.has_operator().await? {
        app.throttle.attempts.note(FAILED_SIGN_IN, visitor.address, now);
        return Err(Conflict::CodeSpent.into());
    }
    password_rules::check(&first.password, &[first.email.as_str(), first.name.as_str()])?;
    let person = Person {
        id: app.random.id(now)?,
        email: first.email,
        name: first.name,
        language: profile::check_language(first.language.unwrap_or_else(|| "en".to_owned()))?,
        password: Some(app.passwords.hash(&app.random, &first.password).await?),
        operator: true,
        active: true,
        generation: 1,
        failed_sign_ins: 0,
        failed_at: None,
        edit: 1,
        created_at: now,
    };
    let (cookie, device) = (mint_cookie(app)?, mint_cookie(app)?);
    let session = sign_in::new_session(app, visitor, &person, &cookie)?;
    let audit = AuditDraft {
        at: now,
        actor: Actor::Operator(person.id),
        actor_label: person.email.as_str().to_owned(),
        client_address: visitor.address.map(|address| address.to_string()).unwrap_or_default(),
        request_id: Some(visitor.request_id),
        account: None,
        action: "bootstrap.redeem",
        subject: person.id.to_string(),
        subject_label: person.email.as_str().to_owned(),
        outcome: Outcome::Done,
        before: Value::Null,
        after: profile::facts(&person),
    };
    let spent = right.ok_or(Conflict::CodeSpent)?;
    let write = Write::new(audit)
        .spend_bootstrap(spent)
        .insert_person(&person)
        .insert_session(&session)
        .remember_device(&sign_in::new_device(app, &person, &device));
    app.commit(write).await?;
    Ok(SignedIn { person, session, cookie, device })
}
