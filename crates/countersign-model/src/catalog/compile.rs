//! Turns a checked file into a catalog with numbers. Whatever can be wrong with the file itself was told when it was
//! read; what is left is that numbers can run out.

use std::collections::HashMap;

use toml::Spanned;

use super::{
    AccountKind, Catalog, CatalogFile, Category, KindIndex, Label, Numbering, Operation, Preset, Problem,
    RateGroup, Role, ScopeInfo,
    file::{DeclaredCategory, DeclaredKind, DeclaredScope, Selection},
};
use crate::{api_version::ApiVersion, limits::SCOPES_MAX, route::RouteTable, scope::Scope};

/// Compiles a file over the numbers given so far; answers the catalog and the numbering with the new scopes appended.
/// Scopes of the numbering that the file lacks are kept as retired. The problem: more scopes than
/// [`SCOPES_MAX`] would ever have had a number.
pub fn compile(file: &CatalogFile, numbering: &Numbering) -> Result<(Catalog, Numbering), Problem> {
    let (numbering, by_id) = number(file, numbering)?;
    let mut scopes: Vec<ScopeInfo> =
        numbering.ids().zip(0..).map(|(id, number)| retired(Scope(number), id)).collect();
    let mut routes = RouteTable::default();
    let mut kinds = Vec::with_capacity(file.kinds.len());
    for (declared, index) in file.kinds.iter().zip(0..) {
        let kind = KindIndex(index);
        for (category, category_index) in declared.categories.iter().zip(0..) {
            for scope in &category.scopes {
                let Some(number) = by_id.get(scope.id.get_ref()).copied() else { continue };
                scopes[usize::from(number.0)] =
                    live(number, kind, (declared, category, category_index), scope);
                for operation in scope.operations.iter().map(Spanned::get_ref) {
                    routes.insert(kind, operation.method, &operation.template, number);
                }
            }
        }
        kinds.push(compile_kind(declared, &scopes, &by_id));
    }
    let catalog = Catalog {
        kinds,
        version_header: file.version_header.clone(),
        version_parameter: file.version_parameter.clone(),
        method_override: file.method_override,
        scopes,
        routes,
        by_id,
    };
    Ok((catalog, numbering))
}

/// Gives a number to every scope of the file that has none.
fn number(file: &CatalogFile, before: &Numbering) -> Result<(Numbering, HashMap<String, Scope>), Problem> {
    if before.len() > SCOPES_MAX {
        return Err(out_of_numbers(before.len()));
    }
    let mut numbering = before.clone();
    let mut by_id: HashMap<String, Scope> =
        before.ids().zip(0..).map(|(id, number)| (id.to_owned(), Scope(number))).collect();
    for scope in file.scopes() {
        let id = scope.id.get_ref();
        if by_id.contains_key(id) {
            continue;
        }
        let fits = numbering.len() < SCOPES_MAX;
        let Some(number) = u16::try_from(numbering.len()).ok().filter(|_| fits) else {
            return Err(out_of_numbers(before.len()));
        };
        by_id.insert(id.clone(), Scope(number));
        numbering.0.push(id.clone());
    }
    Ok((numbering, by_id))
}

fn out_of_numbers(given: usize) -> Problem {
    Problem {
        line: 1,
        column: 1,
        message: format!(
            "{given} scopes had a number before, and with this file more than {SCOPES_MAX} would"
        ),
        fix: "give operations to scopes that exist; the numbers of retired scopes are never used again"
            .to_owned(),
    }
}

fn retired(number: Scope, id: &str) -> ScopeInfo {
    ScopeInfo {
        number,
        id: id.to_owned(),
        label: Label { en: id.to_owned(), zh_cn: id.to_owned() },
        kind: None,
        category: 0,
        operations: Vec::new(),
        since: None,
        until: None,
        rate_group: None,
        management: None,
    }
}

fn live(
    number: Scope,
    kind: KindIndex,
    (declared, category, category_index): (&DeclaredKind, &DeclaredCategory, usize),
    scope: &DeclaredScope,
) -> ScopeInfo {
    // The nearest word counts: the scope's, else the category's, else the kind's.
    let group =
        scope.rate_group.as_ref().or(category.rate_group.as_ref()).or(declared.default_rate_group.as_ref());
    let operation = |operation: &Spanned<super::file::DeclaredOperation>| Operation {
        method: operation.get_ref().method.to_owned(),
        path: operation.get_ref().template.text.clone(),
    };
    ScopeInfo {
        number,
        id: scope.id.get_ref().clone(),
        label: scope.label.clone(),
        kind: Some(kind),
        category: category_index,
        operations: scope.operations.iter().map(operation).collect(),
        since: scope.since.as_ref().map(|version| ApiVersion(*version.get_ref())),
        until: scope.until.as_ref().map(|version| ApiVersion(*version.get_ref())),
        // The gateway counts requests; managing tokens is not behind it and is counted elsewhere.
        rate_group: group.filter(|_| scope.manages.is_none()).and_then(|group| {
            declared.rate_groups.iter().position(|known| known.id.get_ref() == group.get_ref())
        }),
        management: scope.manages.as_ref().map(|right| *right.get_ref()),
    }
}

fn compile_kind(
    declared: &DeclaredKind,
    scopes: &[ScopeInfo],
    by_id: &HashMap<String, Scope>,
) -> AccountKind {
    let numbers = |category: &DeclaredCategory| -> Vec<Scope> {
        category.scopes.iter().filter_map(|scope| by_id.get(scope.id.get_ref()).copied()).collect()
    };
    let offered: Vec<&ScopeInfo> = declared
        .categories
        .iter()
        .flat_map(numbers)
        .filter_map(|scope| scopes.get(usize::from(scope.0)))
        .filter(|scope| scope.management.is_none())
        .collect();
    AccountKind {
        id: declared.id.get_ref().clone(),
        code: *declared.code.get_ref(),
        label: declared.label.clone(),
        page_label: declared.page_label.clone(),
        menu_path: declared.menu_path.clone(),
        versions: declared.versions.iter().map(|version| version.get_ref().clone()).collect(),
        categories: declared
            .categories
            .iter()
            .map(|category| Category {
                id: category.id.get_ref().clone(),
                label: category.label.clone(),
                management: category.management,
                scopes: numbers(category),
            })
            .collect(),
        roles: declared
            .roles
            .iter()
            .map(|role| Role {
                id: role.id.get_ref().clone(),
                label: role.label.clone(),
                permissions: role.permissions,
            })
            .collect(),
        rate_groups: declared
            .rate_groups
            .iter()
            .map(|group| RateGroup {
                id: group.id.get_ref().clone(),
                limit: group.limit,
                enforced: group.enforced,
            })
            .collect(),
        presets: declared
            .presets
            .iter()
            .map(|preset| Preset {
                id: preset.id.get_ref().clone(),
                label: preset.label.clone(),
                scopes: match &preset.selection {
                    Selection::All => offered.iter().map(|scope| scope.number).collect(),
                    Selection::Reads => {
                        offered.iter().filter(|scope| scope.only_reads()).map(|scope| scope.number).collect()
                    }
                    Selection::Listed(ids) => {
                        ids.iter().filter_map(|id| by_id.get(id.get_ref()).copied()).collect()
                    }
                },
            })
            .collect(),
        legacy_cut_over: declared.legacy_cut_over,
        token_lifetime: declared.token_lifetime,
        base_url: declared.base_url.clone(),
    }
}
