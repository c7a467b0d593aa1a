//! Accounts: operators make and edit them; administrators of an account change what is theirs; API access has a switch of
//! its own, because switching it off denies every token at once.

use countersign_model::{
    event::Event,
    lifetime::{Lifetime, Lifetimes},
    limits::{EXTERNAL_ID_BYTES_MAX, TOKENS_PER_ACCOUNT},
    name::{EmailAddress, PersonName},
};
use countersign_store::{Account, AccountFilter, AccountState, Page, PageAsk, RevealPolicy, Write};
use serde_json::{Value, json};

use super::{
    invitations::{self, Issued},
    keys,
    members::administrator_role,
    notices,
    tokens::Patch,
};
use crate::{
    app::App,
    caller::{Caller, Deed, Identity},
    error::Error,
    rights::{EnableApiAccess, Granted, ManageAccount, Operator, Right, ViewAccount},
    sealing::DataKey,
};

/// Most tokens an account may be given.
pub const TOKEN_LIMIT_MAX: u32 = 1_000_000;

/// What an account is made of.
pub struct NewAccount {
    /// The operator's own id for it.
    pub external_id: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: PersonName,
    /// Whether API access is on from the start.
    pub api_access: bool,
    /// Most tokens it may have.
    pub token_limit: Option<u32>,
    /// The longest life of its tokens; no longer than the platform's.
    pub token_lifetime: Option<Lifetime>,
    /// Whether stored secrets may be shown again.
    pub reveal: RevealPolicy,
    /// Who gets an invitation as its first administrator.
    pub administrator: Option<EmailAddress>,
}

/// What may change; absent is unchanged.
#[derive(Default)]
pub struct AccountEdit {
    /// Its name.
    pub name: Option<PersonName>,
    /// Whether stored secrets may be shown again.
    pub reveal: Option<RevealPolicy>,
    /// The longest life of its tokens, no longer than the platform's; cleared by null.
    pub token_lifetime: Patch<Lifetime>,
    /// The operator's own id for it; operators only.
    pub external_id: Option<String>,
    /// Active or suspended; operators only.
    pub state: Option<AccountState>,
    /// Most tokens it may have; operators only.
    pub token_limit: Option<u32>,
}

/// The accounts the caller may see: all for operators, their own for others.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &AccountFilter,
    page: &PageAsk,
) -> Result<Page<Account>, Error> {
    if Operator::prove(caller.clone()).is_ok() {
        return Ok(app.store.accounts(filter, page).await?);
    }
    let rows: Vec<Account> = match &caller.identity {
        Identity::Person { person, .. } => {
            app.store.memberships(person.id).await?.into_iter().map(|membership| membership.account).collect()
        }
        Identity::Token(token) => Granted::<ViewAccount>::prove(app, caller.clone(), token.account)
            .await
            .map(|granted| vec![granted.account])?,
        Identity::Platform(_) | Identity::Cli => Vec::new(),
    };
    Ok(Page { rows: rows.into_iter().filter(|account| fits(filter, account)).collect(), next: None })
}

fn fits(filter: &AccountFilter, account: &Account) -> bool {
    let search = filter.search.as_deref().map(countersign_model::name::fold).unwrap_or_default();
    let found = account.name.key().contains(&search) || account.external_id.to_lowercase().contains(&search);
    found
        && filter.kind.as_ref().is_none_or(|kind| *kind == account.kind)
        && filter.state.is_none_or(|state| state == account.state)
}

/// Makes an account, with the data key its secrets will be sealed under.
pub async fn create(
    app: &App,
    operator: &Operator,
    new: NewAccount,
) -> Result<(Account, Option<Issued>), Error> {
    let catalog = app.catalog()?;
    if catalog.kind(&new.kind).is_none() {
        let kinds: Vec<&str> = catalog.kinds.iter().map(|kind| kind.id.as_str()).collect();
        return Err(Error::invalid("kind", format!("it must be one of {}", kinds.join(", "))));
    }
    let now = app.clock.wall();
    let id = app.random.id(now)?;
    let token_lifetime = check_lifetime(app, &new.kind, new.token_lifetime)?;
    let account = Account {
        id,
        external_id: check_external_id(new.external_id)?,
        kind: new.kind,
        name: new.name,
        state: AccountState::Active,
        api_access: new.api_access,
        legacy_tokens: false,
        reveal: new.reveal,
        token_limit: check_token_limit(new.token_limit.unwrap_or(TOKENS_PER_ACCOUNT))?,
        token_lifetime,
        data_key: DataKey::make(&app.keys, &app.random, id, 1)?,
        former_data_key: None,
        edit: 1,
        created_at: now,
        updated_at: now,
    };
    let invited = match new.administrator {
        Some(email) => {
            let role = administrator_role(app, &account.kind)?;
            Some(invitations::draft(app, &operator.caller, Some(id), email, Some(role))?)
        }
        None => None,
    };
    let mut after = facts(&account);
    if let Some(invited) = &invited {
        after["administrator"] = json!(invited.invitation.email.as_str());
    }
    let write =
        Write::new(operator.audit(app, Some(id), deed("account.create", &account, Value::Null, after)));
    let write = write.insert_account(&account);
    let write = match &invited {
        Some(Issued { invitation, .. }) => {
            let told = (Event::Invitation, invitation);
            let name = Some(account.name.as_str());
            notices::invitation(app, &operator.caller, write, told, name)?.insert_invitation(invitation)
        }
        None => write,
    };
    app.commit(write).await?;
    Ok((account, invited))
}

/// How many tokens an account has, legacy credentials not counted.
pub async fn token_count(app: &App, granted: &Granted<ViewAccount>) -> Result<u32, Error> {
    Ok(app.store.within(granted.account.id).token_count().await?)
}

/// Changes an account that was seen with this edit number.
pub async fn edit(
    app: &App,
    granted: &Granted<ManageAccount>,
    seen: u64,
    edit: AccountEdit,
) -> Result<Account, Error> {
    let for_operators = edit.external_id.is_some() || edit.state.is_some() || edit.token_limit.is_some();
    if for_operators {
        Operator::prove(granted.caller.clone())?;
    }
    let before = &granted.account;
    let mut after = Account { edit: seen, updated_at: app.clock.wall(), ..before.clone() };
    if let Some(external_id) = edit.external_id {
        after.external_id = check_external_id(external_id)?;
    }
    if let Some(limit) = edit.token_limit {
        after.token_limit = check_token_limit(limit)?;
    }
    if edit.token_lifetime != Patch::Absent {
        after.token_lifetime = check_lifetime(app, &before.kind, edit.token_lifetime.over(None))?;
    }
    after.name = edit.name.unwrap_or(after.name);
    after.reveal = edit.reveal.unwrap_or(after.reveal);
    after.state = edit.state.unwrap_or(after.state);
    write(app, granted, "account.update", before, &after).await
}

/// Switches API access on.
pub async fn enable_api_access(app: &App, granted: &Granted<EnableApiAccess>) -> Result<Account, Error> {
    switch_api_access(app, granted, true).await
}

/// Switches API access off: every token of the account is denied from the answer on, and none is deleted.
pub async fn disable_api_access(app: &App, granted: &Granted<ManageAccount>) -> Result<Account, Error> {
    switch_api_access(app, granted, false).await
}

async fn switch_api_access<R: Right>(app: &App, granted: &Granted<R>, on: bool) -> Result<Account, Error> {
    let before = &granted.account;
    if before.api_access == on {
        return Ok(before.clone());
    }
    let after = Account { api_access: on, updated_at: app.clock.wall(), ..before.clone() };
    let action = if on { "account.enable_api_access" } else { "account.disable_api_access" };
    write(app, granted, action, before, &after).await
}

async fn write<R: Right>(
    app: &App,
    granted: &Granted<R>,
    action: &'static str,
    before: &Account,
    after: &Account,
) -> Result<Account, Error> {
    let audit = granted.audit(app, deed(action, after, facts(before), facts(after)));
    let write = keys::with_policy(app, Write::new(audit), before, after)?;
    let suspended = before.state == AccountState::Active && after.state == AccountState::Suspended;
    let write = match (suspended, before.api_access && !after.api_access) {
        (true, _) => notices::of_account(app, granted, write, (Event::AccountSuspended, after))?,
        (false, true) => notices::of_account(app, granted, write, (Event::AccessOff, after))?,
        (false, false) => write,
    };
    app.commit(write.update_account(after)).await?;
    if keys::is_lowered(before, after) {
        keys::fold_log(app).await;
    }
    app.store.account(before.id).await?.ok_or_else(Error::not_found)
}

fn check_external_id(text: String) -> Result<String, Error> {
    let fits = (1..=EXTERNAL_ID_BYTES_MAX).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text)
    } else {
        let detail =
            format!("it must be 1 to {EXTERNAL_ID_BYTES_MAX} printable ASCII characters without spaces");
        Err(Error::invalid("external_id", detail))
    }
}

/// An account may end its tokens earlier than the platform does, never later.
fn check_lifetime(app: &App, kind: &str, wanted: Option<Lifetime>) -> Result<Option<Lifetime>, Error> {
    let catalog = app.catalog()?;
    let platform = Lifetimes::of(None, catalog.kind(kind).map(|(_, kind)| kind)).platform;
    match (wanted, platform) {
        (Some(wanted), Some(limit)) if wanted > limit => {
            let detail = format!("it is {wanted}; the platform's limit for this kind of account is {limit}");
            Err(Error::invalid("token_lifetime_days", detail))
        }
        (wanted, _) => Ok(wanted),
    }
}

fn check_token_limit(limit: u32) -> Result<u32, Error> {
    if limit <= TOKEN_LIMIT_MAX {
        Ok(limit)
    } else {
        Err(Error::invalid("token_limit", format!("it must be 0 to {TOKEN_LIMIT_MAX}")))
    }
}

fn deed<'a>(action: &'static str, account: &'a Account, before: Value, after: Value) -> Deed<'a> {
    Deed { action, subject: account.id.to_string(), subject_label: account.name.as_str(), before, after }
}

fn facts(account: &Account) -> Value {
    json!({
        "external_id": account.external_id,
        "kind": account.kind,
        "name": account.name.as_str(),
        "suspended": account.state == AccountState::Suspended,
        "api_access": account.api_access,
        "shows_secrets_once": account.reveal == RevealPolicy::Once,
        "token_limit": account.token_limit,
        "token_lifetime_days": account.token_lifetime.map(Lifetime::days),
    })
}

/// The account kinds the caller has to do with.
pub async fn kinds_of(app: &App, caller: &Caller) -> Result<Vec<String>, Error> {
    let accounts = match &caller.identity {
        Identity::Person { person, .. } => {
            app.store.memberships(person.id).await?.into_iter().map(|membership| membership.account).collect()
        }
        Identity::Token(token) => app.store.account(token.account).await?.into_iter().collect(),
        Identity::Platform(_) | Identity::Cli => Vec::new(),
    };
    Ok(accounts.into_iter().map(|account: Account| account.kind).collect())
}
