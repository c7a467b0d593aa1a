//! What a new catalog changes, for an operator who is about to load it. It compares what is declared and says what
//! follows for tokens; it knows no tokens, so it counts none.

mod kinds;
mod pairs;
mod scopes;

use super::Catalog;
use pairs::Pairs;

/// One difference between two catalogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What kind of thing differs.
    pub subject: Subject,
    /// What becomes of it.
    pub fate: Fate,
    /// The account kind it belongs to; `None` for what belongs to the whole catalog.
    pub kind: Option<String>,
    /// Its id, or the number of a version, or the name of a setting.
    pub id: String,
    /// What that means, in a sentence for a person.
    pub sentence: String,
}

/// What kind of thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A setting of the whole catalog.
    Setting,
    /// An account kind.
    Kind,
    /// An API version.
    Version,
    /// A role.
    Role,
    /// A rate-limit group.
    RateGroup,
    /// A category.
    Category,
    /// A preset.
    Preset,
    /// A scope.
    Scope,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// It is new, or back.
    Added,
    /// It is gone; a scope is retired.
    Removed,
    /// It stays and is another.
    Changed,
}

impl Subject {
    /// The name in answers: `rate_group`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Setting => "setting",
            Self::Kind => "kind",
            Self::Version => "version",
            Self::Role => "role",
            Self::RateGroup => "rate_group",
            Self::Category => "category",
            Self::Preset => "preset",
            Self::Scope => "scope",
        }
    }
}

impl Fate {
    /// The name in answers: `added`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// Everything in which the new catalog differs from the old one: settings, kinds with what belongs to them, scopes.
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<Difference> {
    let mut found = Vec::new();
    settings(old, new, &mut found);
    let pairs = Pairs::new(&old.kinds, &new.kinds, |kind| kind.id.clone());
    pairs.tell(
        Subject::Kind,
        None,
        &mut found,
        |kind| format!("The account kind {}", kind.id),
        kinds::kind_changes,
    );
    for (old_kind, new_kind) in pairs.both() {
        kinds::parts_of_kind((old, old_kind), (new, new_kind), &mut found);
    }
    scopes::scopes(old, new, &mut found);
    found
}

fn settings(old: &Catalog, new: &Catalog, found: &mut Vec<Difference>) {
    let on = |switch: bool| if switch { "on" } else { "off" };
    let pairs = [
        ("version_header", old.version_header.as_str(), new.version_header.as_str()),
        ("version_parameter", &old.version_parameter, &new.version_parameter),
        ("method_override", on(old.method_override), on(new.method_override)),
    ];
    for (id, before, after) in pairs.into_iter().filter(|(_, before, after)| before != after) {
        let sentence = format!("The setting {id} was {before} and becomes {after}.");
        found.push(Difference {
            subject: Subject::Setting,
            fate: Fate::Changed,
            kind: None,
            id: id.to_owned(),
            sentence,
        });
    }
}
