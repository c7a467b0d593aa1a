//! Who belongs to an account, in which role. Nobody gives or takes what they do not hold themselves, except operators.

use std::sync::Arc;

use countersign_model::{
    actor::PermissionSet,
    catalog::{AccountKind, Catalog},
    id::UserId,
};
use countersign_store::{Member, Page, PageAsk, Write};
use serde_json::{Value, json};

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    rights::{Granted, ManageMembers, Standing, ViewMembers},
};

/// Members, by e-mail address.
pub async fn list(app: &App, granted: &Granted<ViewMembers>, page: &PageAsk) -> Result<Page<Member>, Error> {
    Ok(app.store.within(granted.account.id).members(page).await?)
}

/// Gives a member another role.
pub async fn change_role(
    app: &App,
    granted: &Granted<ManageMembers>,
    user: UserId,
    role: &str,
) -> Result<Member, Error> {
    let within = app.store.within(granted.account.id);
    let member = within.member(user).await?.ok_or_else(Error::not_found)?;
    may_give(granted, check_role(app, &granted.account.kind, role)?)?;
    may_give(granted, app.permissions_of(granted.account.id, &member.role).await?)?;
    let administrator = administrator_role(app, &granted.account.kind)?;
    let what = deed("member.update", &member, json!({ "role": member.role }), json!({ "role": role }));
    let write = Write::new(granted.audit(app, what)).update_member(&member, role, &administrator);
    app.commit(write).await?;
    within.member(user).await?.ok_or_else(Error::not_found)
}

/// Removes a member. Tokens they answer for go to the successor.
pub async fn remove(
    app: &App,
    granted: &Granted<ManageMembers>,
    user: UserId,
    successor: Option<UserId>,
) -> Result<(), Error> {
    let within = app.store.within(granted.account.id);
    let member = within.member(user).await?.ok_or_else(Error::not_found)?;
    may_give(granted, app.permissions_of(granted.account.id, &member.role).await?)?;
    let tokens = within.tokens_of_contact(user).await?;
    if !tokens.is_empty() && successor.is_none() {
        let detail = "This person is the primary contact of tokens; name another member as `successor`.";
        let error = Error::new(Kind::Conflict, "primary_contact", detail).at_field("successor");
        return Err(error.with("tokens", tokens));
    }
    if let Some(successor) = successor {
        let joined = successor != user && within.member(successor).await?.is_some();
        if !joined {
            return Err(Error::invalid("successor", "it must be another member of the account"));
        }
    }
    let administrator = administrator_role(app, &granted.account.kind)?;
    let after = json!({ "successor": successor.map(|successor| successor.to_string()), "tokens": tokens });
    let what = deed("member.remove", &member, json!({ "role": member.role }), after);
    let write = Write::new(granted.audit(app, what)).remove_member(&member, successor, &administrator);
    app.commit(write).await?;
    Ok(())
}

/// The permissions of a role of this kind.
pub(super) fn check_role(app: &App, kind: &str, role: &str) -> Result<PermissionSet, Error> {
    let catalog = app.catalog()?;
    let kind = kind_of(&catalog, kind)?;
    let found = kind.role(role).map(|role| role.permissions);
    found.ok_or_else(|| {
        let roles: Vec<&str> = kind.roles.iter().map(|role| role.id.as_str()).collect();
        Error::invalid("role", format!("it must be one of {}", roles.join(", ")))
    })
}

/// The role with every permission.
pub(super) fn administrator_role(app: &App, kind: &str) -> Result<String, Error> {
    let catalog = app.catalog()?;
    let role = kind_of(&catalog, kind)?.roles.first().map(|role| role.id.clone());
    role.ok_or_else(|| Error::internal("catalog", &"an account kind without roles"))
}

fn kind_of<'c>(catalog: &'c Arc<Catalog>, kind: &str) -> Result<&'c AccountKind, Error> {
    let gone = || Error::internal("catalog", &"the kind of an account is not in the catalog");
    catalog.kind(kind).map(|(_, kind)| kind).ok_or_else(gone)
}

/// Whether the caller holds all of these permissions, or is an operator.
pub(super) fn may_give(granted: &Granted<ManageMembers>, permissions: PermissionSet) -> Result<(), Error> {
    let Standing::Member(own) = granted.standing else { return Ok(()) };
    let missing: Vec<_> = permissions.iter().filter(|permission| !own.may(*permission)).collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::permission_missing(&missing)) }
}

fn deed<'m>(action: &'static str, member: &'m Member, before: Value, after: Value) -> Deed<'m> {
    Deed {
        action,
        subject: member.person.id.to_string(),
        subject_label: member.person.email.as_str(),
        before,
        after,
    }
}
