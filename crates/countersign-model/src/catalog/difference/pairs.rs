//! Two lists of things with ids, and what it takes to put them beside each other.

use super::{Difference, Fate, Subject};

/// Two lists of things with ids.
pub(super) struct Pairs<'a, T> {
    old: &'a [T],
    new: &'a [T],
    id: fn(&T) -> String,
}

impl<'a, T> Pairs<'a, T> {
    pub(super) fn new(old: &'a [T], new: &'a [T], id: fn(&T) -> String) -> Self {
        Self { old, new, id }
    }

    fn find(&self, list: &'a [T], id: &str) -> Option<&'a T> {
        list.iter().find(|item| (self.id)(item) == id)
    }

    /// What is in both lists.
    pub(super) fn both(&self) -> impl Iterator<Item = (&'a T, &'a T)> {
        self.new.iter().filter_map(|new| Some((self.find(self.old, &(self.id)(new))?, new)))
    }

    /// Notes what is only in one list, and what `changes` finds between two of the same id.
    pub(super) fn tell(
        &self,
        subject: Subject,
        kind: Option<&str>,
        found: &mut Vec<Difference>,
        name: impl Fn(&T) -> String,
        changes: impl Fn(&T, &T) -> Vec<String>,
    ) {
        let mut note = |item: &T, fate, rest: &str| {
            let sentence = format!("{} {rest}.", name(item));
            found.push(Difference {
                subject,
                fate,
                kind: kind.map(str::to_owned),
                id: (self.id)(item),
                sentence,
            });
        };
        for item in self.old.iter().filter(|item| self.find(self.new, &(self.id)(item)).is_none()) {
            note(item, Fate::Removed, "is gone");
        }
        for item in self.new {
            match self.find(self.old, &(self.id)(item)) {
                None => note(item, Fate::Added, "is new"),
                Some(before) => {
                    let changes = changes(before, item);
                    if !changes.is_empty() {
                        note(item, Fate::Changed, &changes.join(", "));
                    }
                }
            }
        }
    }
}

/// Notes what is so when it is so.
pub(super) fn note_if(changed: bool, what: &str, changes: &mut Vec<String>) {
    if changed {
        changes.push(what.to_owned());
    }
}

/// Notes what something becomes and what it was, when that differs.
pub(super) fn note_change(what: &str, before: &str, after: &str, changes: &mut Vec<String>) {
    if before != after {
        changes.push(format!("{what} {after} (before: {before})"));
    }
}
