//! Who acts, and what people may do. Permissions are for people in the console and the management API; what a token
//! may call is a scope.

use serde::{Deserialize, Serialize};

use crate::id::{PlatformCredentialId, TokenId, UserId};

/// What a person may do in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Permission {
    /// See the tokens of the account.
    #[serde(rename = "tokens.view")]
    TokensView,
    /// Create, edit, reset, disable, enable and delete tokens.
    #[serde(rename = "tokens.manage")]
    TokensManage,
    /// Show and copy a stored secret.
    #[serde(rename = "secrets.reveal")]
    SecretsReveal,
    /// Invite people, change roles, remove members.
    #[serde(rename = "members.manage")]
    MembersManage,
    /// Read the account's audit trail.
    #[serde(rename = "audit.view")]
    AuditView,
    /// Change the account itself.
    #[serde(rename = "account.manage")]
    AccountManage,
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PermissionSet(u8);

/// What a token with management scopes may do to the tokens of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagementRight {
    /// List and read.
    View,
    /// Create and duplicate.
    Create,
    /// Edit and upgrade the version.
    Edit,
    /// Disable.
    Disable,
    /// Enable.
    Enable,
    /// Reset the secret.
    Reset,
    /// Delete.
    Delete,
}

/// Who acted, as the audit trail keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A person signed in, acting by their role in an account.
    User(UserId),
    /// A person signed in, acting as an operator of the platform.
    Operator(UserId),
    /// A token with management scopes.
    Token(TokenId),
    /// A machine with a platform credential: operator rights.
    Platform(PlatformCredentialId),
    /// The command line on the server's own machine: operator rights.
    Cli,
    /// Countersign itself.
    System,
    /// Somebody we do not know.
    Anonymous,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 6] = [
        Self::TokensView,
        Self::TokensManage,
        Self::SecretsReveal,
        Self::MembersManage,
        Self::AuditView,
        Self::AccountManage,
    ];

    /// The name in catalogs and answers: `tokens.view`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokensView => "tokens.view",
            Self::TokensManage => "tokens.manage",
            Self::SecretsReveal => "secrets.reveal",
            Self::MembersManage => "members.manage",
            Self::AuditView => "audit.view",
            Self::AccountManage => "account.manage",
        }
    }

    /// The permissions a catalog text stands for: a name, `tokens.*`, or `*`.
    pub fn parse_pattern(text: &str) -> Option<PermissionSet> {
        let matches: Vec<Self> = match text.strip_suffix('*') {
            Some("") => Self::ALL.to_vec(),
            Some(front) if front.ends_with('.') => {
                Self::ALL.into_iter().filter(|permission| permission.as_str().starts_with(front)).collect()
            }
            Some(_) => Vec::new(),
            None => Self::ALL.into_iter().filter(|permission| permission.as_str() == text).collect(),
        };
        if matches.is_empty() { None } else { Some(matches.into_iter().collect()) }
    }
}

impl PermissionSet {
    /// Whether the permission is in the set.
    pub fn may(self, permission: Permission) -> bool {
        self.0 >> permission as u8 & 1 == 1
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all permissions are in the set.
    pub fn is_all(self) -> bool {
        Permission::ALL.into_iter().all(|permission| self.may(permission))
    }

    /// The permissions in their order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.may(*permission))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u8))
    }
}

impl ManagementRight {
    /// Every right.
    pub const ALL: [Self; 7] =
        [Self::View, Self::Create, Self::Edit, Self::Disable, Self::Enable, Self::Reset, Self::Delete];

    /// The name in catalogs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Reset => "reset",
            Self::Delete => "delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_sets() {
        let tokens = Permission::parse_pattern("tokens.*").unwrap();
        assert!(tokens.may(Permission::TokensView) && tokens.may(Permission::TokensManage));
        assert!(!tokens.may(Permission::SecretsReveal));
        assert!(Permission::parse_pattern("*").unwrap().is_all());
        for bad in ["", "tok*", "tokens", "tokens.delete", "nothing.*"] {
            assert!(Permission::parse_pattern(bad).is_none(), "{bad}");
        }
    }
}
