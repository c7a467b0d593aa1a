//! Rights, proved by type: a use case that takes a `Granted<R>` cannot be called without somebody having been asked for
//! `R`. The kinds of caller and what each may do are decided here and nowhere else.

use std::{marker::PhantomData, sync::Arc};

use countersign_model::{
    actor::{Actor, ManagementRight, Permission, PermissionSet},
    change::TokenRecord,
    id::AccountId,
};
use countersign_store::{Account, AuditDraft};

use crate::{
    app::App,
    caller::{Caller, Deed, Identity},
    error::{Error, Kind},
};

/// A right in an account. Implemented only by the markers in this file.
pub trait Right: Send + Sync + 'static {
    /// Permissions of which a member needs one; empty: every member may.
    const PERMISSIONS: &'static [Permission];
    /// What a token needs among its management scopes; `None`: no token may.
    const MANAGEMENT: Option<ManagementRight>;
    /// Whether operators may.
    const OPERATORS: bool;
}

/// How the caller stands in the account.
#[derive(Debug, Clone)]
pub enum Standing {
    /// A member with these permissions.
    Member(PermissionSet),
    /// Somebody with operator rights.
    Operator,
    /// A token of the account with management scopes.
    Token(Arc<TokenRecord>),
}

/// The proof that the caller may do `R` in this account.
pub struct Granted<R: Right> {
    /// The account.
    pub account: Account,
    /// How the caller stands in it.
    pub standing: Standing,
    /// The call.
    pub caller: Caller,
    right: PhantomData<R>,
}

/// The proof that the caller has operator rights.
pub struct Operator {
    /// The call.
    pub caller: Caller,
}

impl Operator {
    /// Proves operator rights.
    pub fn prove(caller: Caller) -> Result<Self, Error> {
        let may = match &caller.identity {
            Identity::Person { person, .. } => person.operator,
            Identity::Platform(_) | Identity::Cli => true,
            Identity::Token(_) => false,
        };
        if may { Ok(Self { caller }) } else { Err(Error::operators_only()) }
    }

    /// An audit entry of something done with operator rights.
    pub fn audit(&self, app: &App, account: Option<AccountId>, deed: Deed<'_>) -> AuditDraft {
        self.caller.audit(app, self.caller.actor(true), account, deed)
    }
}

impl<R: Right> Granted<R> {
    /// Proves the right. Whoever has no business in the account gets the answer of an account that is not there.
    pub async fn prove(app: &App, caller: Caller, account: AccountId) -> Result<Self, Error> {
        let found = app.store.account(account).await?;
        let standing = standing_in(app, &caller, account).await?;
        let (Some(account), Some(standing)) = (found, standing) else { return Err(Error::not_found()) };
        match &standing {
            Standing::Operator if !R::OPERATORS => Err(Error::new(
                Kind::Forbidden,
                "not_for_operators",
                "An operator never opens a stored secret; a member of the account can, or reset it.",
            )),
            Standing::Member(permissions) if !allows(*permissions, R::PERMISSIONS) => {
                Err(Error::permission_missing(R::PERMISSIONS))
            }
            Standing::Token(token) if !token_may(app, token, R::MANAGEMENT) => {
                Err(management_missing(R::MANAGEMENT))
            }
            _ => Ok(Self { account, standing, caller, right: PhantomData }),
        }
    }

    /// The proof of another right over the same account, where one deed needs two.
    pub async fn also<Other: Right>(&self, app: &App) -> Result<Granted<Other>, Error> {
        Granted::prove(app, self.caller.clone(), self.account.id).await
    }

    /// The actor of audit entries.
    pub fn actor(&self) -> Actor {
        self.caller.actor(matches!(self.standing, Standing::Operator))
    }

    /// An audit entry of something done in this account.
    pub fn audit(&self, app: &App, deed: Deed<'_>) -> AuditDraft {
        self.caller.audit(app, self.actor(), Some(self.account.id), deed)
    }
}

impl Granted<DisableTokens> {
    /// The right to disable its own token, of whoever proved its secret, whatever its scopes: taking one's own rights away
    /// gives nobody any.
    pub async fn to_holder(app: &App, caller: Caller, account: AccountId) -> Result<Self, Error> {
        let Identity::Token(token) = &caller.identity else { return Err(Error::not_found()) };
        let standing = Standing::Token(Arc::clone(token));
        let account = app.store.account(account).await?.ok_or_else(Error::not_found)?;
        Ok(Self { account, standing, caller, right: PhantomData })
    }
}

fn allows(permissions: PermissionSet, needed: &[Permission]) -> bool {
    needed.is_empty() || needed.iter().any(|permission| permissions.may(*permission))
}

fn management_missing(right: Option<ManagementRight>) -> Error {
    match right {
        Some(right) => Error::new(
            Kind::Forbidden,
            "scope_missing",
            format!(
                "The token lacks the management scope for `{}`; a person can tick it on the token's API scopes page.",
                right.as_str()
            ),
        ),
        None => Error::new(
            Kind::Forbidden,
            "not_for_tokens",
            "A token may not do this, whatever its scopes; sign in as a person.",
        ),
    }
}

/// How the caller stands in the account; `None` where they have no business in it.
async fn standing_in(app: &App, caller: &Caller, account: AccountId) -> Result<Option<Standing>, Error> {
    Ok(match &caller.identity {
        Identity::Platform(_) | Identity::Cli => Some(Standing::Operator),
        Identity::Token(token) => (token.account == account).then(|| Standing::Token(Arc::clone(token))),
        Identity::Person { person, .. } => match app.store.within(account).member(person.id).await? {
            Some(member) => Some(Standing::Member(app.permissions_of(account, &member.role).await?)),
            None => person.operator.then_some(Standing::Operator),
        },
    })
}

/// Whether a token holds a live management scope for this right, of the catalog in force.
pub fn token_may(app: &App, token: &TokenRecord, right: Option<ManagementRight>) -> bool {
    let (Some(right), Some(scopes), Some(catalog)) = (right, token.access.scopes(), app.verifier.catalog())
    else {
        return false;
    };
    scopes.iter().filter_map(|scope| catalog.scope(scope)).any(|scope| scope.management == Some(right))
}

/// See the tokens of the account.
pub struct ViewTokens;
/// Create or duplicate a token.
pub struct CreateTokens;
/// Edit a token or raise its version.
pub struct EditTokens;
/// Disable a token.
pub struct DisableTokens;
/// Enable a token.
pub struct EnableTokens;
/// Reset a token's secret.
pub struct ResetTokens;
/// Delete a token.
pub struct DeleteTokens;
/// Enable, reset, upgrade, disable, delete the legacy pair.
pub struct ManageLegacy;
/// Show a stored secret.
pub struct RevealSecrets;
/// See the account's own facts.
pub struct ViewAccount;
/// Switch API access on.
pub struct EnableApiAccess;
/// Change the account's own settings.
pub struct ManageAccount;
/// See who belongs to the account.
pub struct ViewMembers;
/// Invite people, change roles, remove members.
pub struct ManageMembers;
/// Read the account's audit trail.
pub struct ViewAudit;
/// Have what was not delivered tried again.
pub struct RetryDeliveries;

impl Right for ViewTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensView];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::View);
    const OPERATORS: bool = true;
}
impl Right for CreateTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::Create);
    const OPERATORS: bool = true;
}
impl Right for EditTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::Edit);
    const OPERATORS: bool = true;
}
impl Right for DisableTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::Disable);
    const OPERATORS: bool = true;
}
impl Right for EnableTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::Enable);
    const OPERATORS: bool = true;
}
impl Right for ResetTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::Reset);
    const OPERATORS: bool = true;
}
impl Right for DeleteTokens {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::Delete);
    const OPERATORS: bool = true;
}
impl Right for ManageLegacy {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
impl Right for RevealSecrets {
    const PERMISSIONS: &'static [Permission] = &[Permission::SecretsReveal];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = false;
}
impl Right for ViewAccount {
    const PERMISSIONS: &'static [Permission] = &[];
    const MANAGEMENT: Option<ManagementRight> = Some(ManagementRight::View);
    const OPERATORS: bool = true;
}
impl Right for EnableApiAccess {
    const PERMISSIONS: &'static [Permission] = &[Permission::AccountManage, Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
impl Right for ManageAccount {
    const PERMISSIONS: &'static [Permission] = &[Permission::AccountManage];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
impl Right for ViewMembers {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensView, Permission::MembersManage];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
impl Right for ManageMembers {
    const PERMISSIONS: &'static [Permission] = &[Permission::MembersManage];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
impl Right for RetryDeliveries {
    const PERMISSIONS: &'static [Permission] = &[Permission::TokensManage];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
impl Right for ViewAudit {
    const PERMISSIONS: &'static [Permission] = &[Permission::AuditView];
    const MANAGEMENT: Option<ManagementRight> = None;
    const OPERATORS: bool = true;
}
