//! What the entries of a catalog file must be to each other: unique, in order, and naming only what exists. Paths have
//! a file of their own.

use std::collections::{HashMap, HashSet};

use toml::Spanned;

use super::{
    check_paths,
    file::{CatalogFile, DeclaredCategory, DeclaredKind, DeclaredScope, Selection},
    parse::Problems,
};
use crate::{actor::ManagementRight, limits::SCOPES_MAX};

/// Checks every rule between entries.
pub(super) fn check(file: &CatalogFile, problems: &mut Problems) {
    unique("kind id", file.kinds.iter().map(|kind| &kind.id), problems);
    unique_codes(file, problems);
    unique("scope id", file.scopes().map(|scope| &scope.id), problems);
    let count = file.scopes().count();
    if count > SCOPES_MAX {
        problems.add(
            0,
            format!("the file has {count} scopes; the limit is {SCOPES_MAX}"),
            "join some of them",
        );
    }
    for kind in &file.kinds {
        check_kind(kind, problems);
    }
    check_paths::check(file, problems);
}

fn check_kind(kind: &DeclaredKind, problems: &mut Problems) {
    unique("role id", kind.roles.iter().map(|role| &role.id), problems);
    unique("rate group id", kind.rate_groups.iter().map(|group| &group.id), problems);
    unique("preset id", kind.presets.iter().map(|preset| &preset.id), problems);
    unique("category id", kind.categories.iter().map(|category| &category.id), problems);
    check_versions(kind, problems);
    check_roles(kind, problems);
    check_group(kind, kind.default_rate_group.as_ref(), problems);
    let mut rights: HashMap<ManagementRight, &DeclaredScope> = HashMap::new();
    for category in &kind.categories {
        check_group(kind, category.rate_group.as_ref(), problems);
        for scope in &category.scopes {
            check_scope(kind, category, scope, problems);
            let Some(right) = &scope.manages else { continue };
            if let Some(first) = rights.insert(*right.get_ref(), scope) {
                let message =
                    format!("`{}` stands for the same right as `{}`", scope.id.get_ref(), first.id.get_ref());
                problems.add(right.span().start, message, "declare one scope per management right");
            }
        }
    }
    check_presets(kind, problems);
}

fn check_versions(kind: &DeclaredKind, problems: &mut Problems) {
    if kind.versions.is_empty() {
        let message = format!("`{}` has no API version", kind.id.get_ref());
        problems.add(kind.id.span().start, message, "add a [[kind.version]] table with its number");
    }
    for version in &kind.versions {
        if version.get_ref().number.0 == 0 {
            problems.add(version.span().start, "0 is not a version", "count versions from 1");
        }
    }
    for pair in kind.versions.windows(2) {
        let (before, after) = (pair[0].get_ref().number, pair[1].get_ref().number);
        if before >= after {
            let message = format!("version {after} follows version {before}");
            problems.add(pair[1].span().start, message, "list each version once, lowest first");
        }
    }
}

fn check_roles(kind: &DeclaredKind, problems: &mut Problems) {
    match kind.roles.first() {
        None => {
            let message = format!("`{}` has no role", kind.id.get_ref());
            problems.add(
                kind.id.span().start,
                message,
                "add a [[kind.role]] table with permissions = [\"*\"]",
            );
        }
        Some(first) if !first.permissions.is_all() => {
            let message = format!("the first role, `{}`, lacks a permission", first.id.get_ref());
            problems.add(
                first.id.span().start,
                message,
                "give it permissions = [\"*\"], or put the role that has all first",
            );
        }
        Some(_) => {}
    }
}

fn check_group(kind: &DeclaredKind, group: Option<&Spanned<String>>, problems: &mut Problems) {
    let Some(group) = group else { return };
    if !kind.rate_groups.iter().any(|known| known.id.get_ref() == group.get_ref()) {
        let message =
            format!("there is no rate group `{}` in `{}`", group.get_ref().escape_debug(), kind.id.get_ref());
        problems.add(group.span().start, message, "declare it with [[kind.rate_group]], or name one that is");
    }
}

fn check_scope(
    kind: &DeclaredKind,
    category: &DeclaredCategory,
    scope: &DeclaredScope,
    problems: &mut Problems,
) {
    let (id, at) = (scope.id.get_ref(), scope.id.span().start);
    if id.strip_prefix(kind.id.get_ref().as_str()).is_none_or(|rest| rest.len() < 2 || !rest.starts_with('.'))
    {
        let message = format!("`{id}` does not begin with its account kind");
        problems.add(at, message, format!("write `{}.` in front of it", kind.id.get_ref()));
    }
    match (category.management, &scope.manages) {
        (true, None) => {
            let message = format!("`{id}` is in a management category and manages nothing");
            problems.add(
                at,
                message,
                "add manages = \"view\" or another right, or move it to another category",
            );
        }
        (false, Some(right)) => {
            let message = format!("`{id}` manages tokens outside of a management category");
            problems.add(right.span().start, message, "move it to a category with management = true");
        }
        (true, Some(_)) | (false, None) => {}
    }
    match (&scope.manages, scope.operations.first()) {
        (Some(_), Some(operation)) => {
            let message = format!("`{id}` manages tokens and has operations");
            problems.add(
                operation.span().start,
                message,
                "take the operations away: management is not behind the gateway",
            );
        }
        (None, None) if !category.management => {
            let message = format!("`{id}` has no operation");
            problems.add(at, message, "add operations = [\"GET /...\"]");
        }
        _ => {}
    }
    check_group(kind, scope.rate_group.as_ref(), problems);
    check_life(kind, scope, problems);
}

fn check_life(kind: &DeclaredKind, scope: &DeclaredScope, problems: &mut Problems) {
    for version in [&scope.since, &scope.until].into_iter().flatten() {
        if !kind.versions.iter().any(|known| known.get_ref().number.0 == *version.get_ref()) {
            let message = format!("`{}` has no version {}", kind.id.get_ref(), version.get_ref());
            problems.add(
                version.span().start,
                message,
                "declare it with [[kind.version]], or name one that is",
            );
        }
    }
    if let (Some(since), Some(until)) = (&scope.since, &scope.until)
        && since.get_ref() > until.get_ref()
    {
        let message = format!("`{}` ends before it begins", scope.id.get_ref());
        problems.add(until.span().start, message, "let since be no higher than until");
    }
}

fn check_presets(kind: &DeclaredKind, problems: &mut Problems) {
    let scopes: HashMap<&String, &DeclaredScope> = kind
        .categories
        .iter()
        .flat_map(|category| &category.scopes)
        .map(|scope| (scope.id.get_ref(), scope))
        .collect();
    for preset in &kind.presets {
        let Selection::Listed(ids) = &preset.selection else { continue };
        unique("scope of the preset", ids.iter(), problems);
        for id in ids {
            match scopes.get(id.get_ref()) {
                None => {
                    let message = format!(
                        "there is no scope `{}` in `{}`",
                        id.get_ref().escape_debug(),
                        kind.id.get_ref()
                    );
                    problems.add(id.span().start, message, "name a scope of this account kind");
                }
                Some(scope) if scope.manages.is_some() => {
                    let message = format!("`{}` manages tokens", id.get_ref());
                    problems.add(
                        id.span().start,
                        message,
                        "take it away: management is granted by hand, never by a preset",
                    );
                }
                Some(_) => {}
            }
        }
    }
}

fn unique_codes(file: &CatalogFile, problems: &mut Problems) {
    let codes: Vec<Spanned<String>> = file
        .kinds
        .iter()
        .map(|kind| Spanned::new(kind.code.span(), kind.code.get_ref().map(char::from).iter().collect()))
        .collect();
    unique("kind code", codes.iter(), problems);
}

fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a Spanned<String>>, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id.get_ref()) {
            let message = format!("the {what} `{}` is already taken", id.get_ref().escape_debug());
            problems.add(id.span().start, message, "choose another; each is used once");
        }
    }
}
