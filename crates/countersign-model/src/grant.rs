//! What a token may call.

use serde::{Deserialize, Serialize};

use crate::scope::ScopeSet;

/// The reach of one credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// A token of today: exactly these scopes.
    Scoped(ScopeSet),
    /// A legacy credential: every operation of the account's kind.
    ReadWrite,
    /// A legacy credential: every operation whose method is GET or HEAD.
    ReadOnly,
}

/// The kind of reach, without the scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// A token of today.
    Scoped,
    /// The read/write half of a legacy pair.
    ReadWrite,
    /// The read-only half of a legacy pair.
    ReadOnly,
}

impl Access {
    /// The kind of reach.
    pub fn kind(&self) -> AccessKind {
        match self {
            Self::Scoped(_) => AccessKind::Scoped,
            Self::ReadWrite => AccessKind::ReadWrite,
            Self::ReadOnly => AccessKind::ReadOnly,
        }
    }

    /// The scopes of a token of today; a legacy credential has none by name.
    pub fn scopes(&self) -> Option<&ScopeSet> {
        match self {
            Self::Scoped(scopes) => Some(scopes),
            Self::ReadWrite | Self::ReadOnly => None,
        }
    }
}

impl AccessKind {
    /// Whether it is half of a legacy pair.
    pub fn is_legacy(self) -> bool {
        self != Self::Scoped
    }

    /// The name in stores, imports and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scoped => "scoped",
            Self::ReadWrite => "read_write",
            Self::ReadOnly => "read_only",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Scoped, Self::ReadWrite, Self::ReadOnly].into_iter().find(|kind| kind.as_str() == text)
    }
}
