//! What path templates must be to each other, so that a request has one meaning: one kind for each first segment, one
//! place for the SID, and one scope for a method and path in a version.

use std::collections::HashMap;

use toml::Spanned;

use super::{
    file::{CatalogFile, DeclaredKind, DeclaredOperation, DeclaredScope},
    parse::Problems,
};

/// What was declared first under one shape.
struct Shape<'a> {
    template: &'a Spanned<DeclaredOperation>,
    /// The scopes of each method.
    scopes: HashMap<&'static str, Vec<&'a DeclaredScope>>,
}

/// Checks every template against the ones before it.
pub(super) fn check(file: &CatalogFile, problems: &mut Problems) {
    let mut bases: HashMap<String, &str> = HashMap::new();
    let mut shapes: HashMap<String, Shape<'_>> = HashMap::new();
    for (kind, scope, operation) in operations(file) {
        let template = &operation.get_ref().template;
        let owner = *bases.entry(template.base()).or_insert(kind.id.get_ref());
        if owner != kind.id.get_ref() {
            let message = format!("`{}` begins like the paths of `{owner}`", template.text);
            problems.add(
                operation.span().start,
                message,
                "let each account kind have first segments of its own; letter case does not count",
            );
            continue;
        }
        let shape = shapes
            .entry(template.shape())
            .or_insert_with(|| Shape { template: operation, scopes: HashMap::new() });
        let first = &shape.template.get_ref().template;
        if first.sid_index() != template.sid_index() {
            let message = format!(
                "`{}` and `{}` are the same paths with the SID in different places",
                template.text, first.text
            );
            problems.add(operation.span().start, message, "write {AccountSID} in the same place");
        }
        let scopes = shape.scopes.entry(operation.get_ref().method).or_default();
        if let Some(other) = scopes.iter().find(|other| overlap(scope, other)) {
            let message = format!(
                "{} {} is already an operation of `{}`",
                operation.get_ref().method,
                template.text,
                other.id.get_ref()
            );
            problems.add(
                operation.span().start,
                message,
                "give an operation to one scope in each version; use since and until",
            );
        }
        scopes.push(scope);
    }
}

fn operations(
    file: &CatalogFile,
) -> impl Iterator<Item = (&DeclaredKind, &DeclaredScope, &Spanned<DeclaredOperation>)> {
    file.kinds.iter().flat_map(|kind| {
        let scopes = kind.categories.iter().flat_map(|category| &category.scopes);
        scopes.flat_map(move |scope| scope.operations.iter().map(move |operation| (kind, scope, operation)))
    })
}

/// Whether there can be a version in which both exist.
fn overlap(one: &DeclaredScope, other: &DeclaredScope) -> bool {
    let life = |scope: &DeclaredScope| {
        let since = scope.since.as_ref().map_or(0, |version| *version.get_ref());
        let until = scope.until.as_ref().map_or(u16::MAX, |version| *version.get_ref());
        (since, until)
    };
    let ((one_since, one_until), (other_since, other_until)) = (life(one), life(other));
    one_since <= other_until && other_since <= one_until
}
