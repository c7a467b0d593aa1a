//! What differs in scopes, and what that means for the tokens that hold them.

use super::{
    Difference, Fate, Subject,
    pairs::{note_change, note_if},
};
use crate::{
    actor::ManagementRight,
    api_version::ApiVersion,
    catalog::{Catalog, ScopeInfo},
};

/// Every scope that is new, back, retired or another.
pub(super) fn scopes(old: &Catalog, new: &Catalog, found: &mut Vec<Difference>) {
    let live = |catalog: &Catalog, id: &str| catalog.scope_by_id(id).is_some_and(|scope| !scope.is_retired());
    let mut note = |fate, (catalog, scope): (&Catalog, &ScopeInfo), rest: &str| {
        let kind = scope.kind.map(|kind| catalog.kind_at(kind).id.clone());
        let sentence = format!("The scope {} {rest}.", scope.id);
        found.push(Difference { subject: Subject::Scope, fate, kind, id: scope.id.clone(), sentence });
    };
    for scope in old.scopes.iter().filter(|scope| !scope.is_retired() && !live(new, &scope.id)) {
        note(Fate::Removed, (old, scope), "is retired: tokens keep it in their list, and it grants nothing");
    }
    for scope in new.scopes.iter().filter(|scope| !scope.is_retired()) {
        match old.scope_by_id(&scope.id) {
            None => note(Fate::Added, (new, scope), "is new: no token has it yet"),
            Some(before) if before.is_retired() => {
                note(
                    Fate::Added,
                    (new, scope),
                    "is back: it grants again what it says to tokens that still hold it",
                );
            }
            Some(before) => {
                let changes = scope_changes((old, before), (new, scope));
                if !changes.is_empty() {
                    note(Fate::Changed, (new, scope), &changes.join(", "));
                }
            }
        }
    }
}

fn scope_changes(
    (old_catalog, old): (&Catalog, &ScopeInfo),
    (new_catalog, new): (&Catalog, &ScopeInfo),
) -> Vec<String> {
    let version =
        |version: Option<ApiVersion>, open: &str| version.map_or(open.to_owned(), |v| v.to_string());
    let mut changes = Vec::new();
    note_if(old.label != new.label, "has another name", &mut changes);
    for operation in new.operations.iter().filter(|operation| !old.operations.contains(operation)) {
        changes.push(format!("lets its holders call {} {}", operation.method, operation.path));
    }
    for operation in old.operations.iter().filter(|operation| !new.operations.contains(operation)) {
        changes.push(format!("no longer lets its holders call {} {}", operation.method, operation.path));
    }
    note_change(
        "begins with version",
        &version(old.since, "the first"),
        &version(new.since, "the first"),
        &mut changes,
    );
    note_change(
        "ends with version",
        &version(old.until, "the last"),
        &version(new.until, "the last"),
        &mut changes,
    );
    note_change("is in the category", place(old_catalog, old).0, place(new_catalog, new).0, &mut changes);
    note_change(
        "counts in the rate group",
        place(old_catalog, old).1,
        place(new_catalog, new).1,
        &mut changes,
    );
    let right = |scope: &ScopeInfo| scope.management.map_or("nothing", ManagementRight::as_str);
    note_change("manages", right(old), right(new), &mut changes);
    changes
}

/// The ids of a scope's category and rate group.
fn place<'a>(catalog: &'a Catalog, scope: &ScopeInfo) -> (&'a str, &'a str) {
    let Some(kind) = scope.kind.map(|kind| catalog.kind_at(kind)) else { return ("none", "none") };
    let category = kind.categories.get(scope.category).map_or("none", |category| category.id.as_str());
    let group = scope
        .rate_group
        .and_then(|group| kind.rate_groups.get(group))
        .map_or("none", |group| group.id.as_str());
    (category, group)
}
