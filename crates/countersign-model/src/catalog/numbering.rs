//! The append-only numbers of scopes: a number is given once and never means another scope. It is kept beside the
//! catalog, as a JSON list of ids, and only ever grows.

use serde::{Deserialize, Serialize};

/// Scope ids in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Numbering(pub(crate) Vec<String>);

impl Numbering {
    /// How many numbers were ever given.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was given yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids in the order of their numbers, from 0.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether this numbering is the other with nothing but new ids behind it.
    pub fn continues(&self, before: &Self) -> bool {
        self.0.starts_with(&before.0)
    }
}
