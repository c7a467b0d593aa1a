//! Scopes as bits. The number of a scope is given once by the catalog's append-only numbering and never used again
//! for another; people and wires see only the stable text id. What a number means is the catalog's to say.

use serde::{Deserialize, Serialize};

/// The number of one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub u16);

/// A set of scopes, as a bitset. Equal sets have equal words: no zero word stands at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct ScopeSet {
    words: Vec<u64>,
}

impl ScopeSet {
    /// The empty set: it calls `whoami` and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the scope is in the set.
    pub fn contains(&self, scope: Scope) -> bool {
        self.words.get(usize::from(scope.0) / 64).is_some_and(|word| word >> (scope.0 % 64) & 1 == 1)
    }

    /// Adds a scope.
    pub fn insert(&mut self, scope: Scope) {
        let index = usize::from(scope.0) / 64;
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        self.words[index] |= 1 << (scope.0 % 64);
    }

    /// Takes a scope away.
    pub fn remove(&mut self, scope: Scope) {
        if let Some(word) = self.words.get_mut(usize::from(scope.0) / 64) {
            *word &= !(1 << (scope.0 % 64));
        }
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }

    /// Whether every scope of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.words.iter().enumerate().all(|(index, word)| word & !other.words.get(index).unwrap_or(&0) == 0)
    }

    /// Whether both sets have a scope in common.
    pub fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(mine, theirs)| mine & theirs != 0)
    }

    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The scopes in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            (0..64_u16)
                .filter(move |bit| word >> bit & 1 == 1)
                .filter_map(move |bit| u16::try_from(index * 64).ok().map(|base| Scope(base + bit)))
        })
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut set = Self::new();
        scopes.into_iter().for_each(|scope| set.insert(scope));
        set
    }
}

impl From<Vec<Scope>> for ScopeSet {
    fn from(scopes: Vec<Scope>) -> Self {
        scopes.into_iter().collect()
    }
}

impl From<ScopeSet> for Vec<Scope> {
    fn from(set: ScopeSet) -> Self {
        set.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_set_of_numbers(
            mine in proptest::collection::btree_set(0_u16..500, 0..60),
            theirs in proptest::collection::btree_set(0_u16..500, 0..60),
            removed in 0_u16..500,
        ) {
            let make = |numbers: &BTreeSet<u16>| numbers.iter().copied().map(Scope).collect::<ScopeSet>();
            let (a, b) = (make(&mine), make(&theirs));
            prop_assert_eq!(a.is_subset(&b), mine.is_subset(&theirs));
            prop_assert_eq!(a.intersects(&b), !mine.is_disjoint(&theirs));
            prop_assert_eq!(a.iter().map(|scope| scope.0).collect::<BTreeSet<_>>(), mine.clone());
            prop_assert_eq!(a.len(), mine.len());
            let mut smaller = mine.clone();
            smaller.remove(&removed);
            let mut less = a.clone();
            less.remove(Scope(removed));
            prop_assert_eq!(&less, &make(&smaller));
            prop_assert_eq!(serde_json::from_str::<ScopeSet>(&serde_json::to_string(&a).unwrap()).unwrap(), a);
        }
    }
}
