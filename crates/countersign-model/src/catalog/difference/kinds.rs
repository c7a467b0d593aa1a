//! What differs in one account kind: its versions, roles, rate groups, categories and presets.

use super::{
    Difference, Subject,
    pairs::{Pairs, note_change, note_if},
};
use crate::{
    actor::Permission,
    api_version::VersionPlan,
    catalog::{AccountKind, Catalog, Category, Preset, RateGroup, Role},
    scope::ScopeSet,
    time::Timestamp,
};

/// What differs between a kind and itself.
pub(super) fn kind_changes(old: &AccountKind, new: &AccountKind) -> Vec<String> {
    let date = |kind: &AccountKind| kind.legacy_cut_over.map_or("none".to_owned(), Timestamp::to_date);
    let code = |kind: &AccountKind| kind.code.map(char::from).iter().collect::<String>();
    let mut changes = Vec::new();
    note_if(old.label != new.label, "has another name", &mut changes);
    note_if(
        old.page_label != new.page_label || old.menu_path != new.menu_path,
        "has its token page elsewhere",
        &mut changes,
    );
    note_change("mints SIDs with the code", &code(old), &code(new), &mut changes);
    note_change("has the legacy cut-over", &date(old), &date(new), &mut changes);
    note_change("lets tokens live for", &longest_life(old), &longest_life(new), &mut changes);
    let address = |kind: &AccountKind| kind.base_url.clone().unwrap_or_else(|| "no address".to_owned());
    note_change("reaches its API at", &address(old), &address(new), &mut changes);
    changes
}

fn longest_life(kind: &AccountKind) -> String {
    kind.token_lifetime.map_or_else(|| "as long as they say".to_owned(), |lifetime| lifetime.to_string())
}

/// What differs in what belongs to a kind.
pub(super) fn parts_of_kind(
    (old_catalog, old): (&Catalog, &AccountKind),
    (new_catalog, new): (&Catalog, &AccountKind),
    found: &mut Vec<Difference>,
) {
    let of = format!("of {}", new.id);
    let kind = Some(new.id.as_str());
    Pairs::new(&old.versions, &new.versions, |version| version.number.to_string()).tell(
        Subject::Version,
        kind,
        found,
        |version| format!("Version {} {of}", version.number),
        version_changes,
    );
    Pairs::new(&old.roles, &new.roles, |role| role.id.clone()).tell(
        Subject::Role,
        kind,
        found,
        |role| format!("The role {} {of}", role.id),
        role_changes,
    );
    Pairs::new(&old.rate_groups, &new.rate_groups, |group| group.id.clone()).tell(
        Subject::RateGroup,
        kind,
        found,
        |group| format!("The rate group {} {of}", group.id),
        group_changes,
    );
    Pairs::new(&old.categories, &new.categories, |category| category.id.clone()).tell(
        Subject::Category,
        kind,
        found,
        |category| format!("The category {} {of}", category.id),
        category_changes,
    );
    Pairs::new(&old.presets, &new.presets, |preset| preset.id.clone()).tell(
        Subject::Preset,
        kind,
        found,
        |preset| format!("The preset {} {of}", preset.id),
        |before: &Preset, after: &Preset| {
            let mut changes = Vec::new();
            note_if(before.label != after.label, "has another name", &mut changes);
            let same = ids(old_catalog, &before.scopes) == ids(new_catalog, &after.scopes);
            note_if(!same, "holds other scopes", &mut changes);
            changes
        },
    );
}

fn version_changes(old: &VersionPlan, new: &VersionPlan) -> Vec<String> {
    let mut changes = Vec::new();
    for (what, before, after) in [
        ("is released", old.released_at, new.released_at),
        ("is deprecated", old.deprecated_at, new.deprecated_at),
        ("ends", old.sunset_at, new.sunset_at),
    ] {
        let date = |moment: Option<Timestamp>| moment.map_or("no date".to_owned(), Timestamp::to_date);
        note_change(what, &date(before), &date(after), &mut changes);
    }
    note_if(old.notes_url != new.notes_url, "has other change notes", &mut changes);
    changes
}

fn role_changes(old: &Role, new: &Role) -> Vec<String> {
    let names = |role: &Role| {
        let names: Vec<&str> = role.permissions.iter().map(Permission::as_str).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(" + ") }
    };
    let mut changes = Vec::new();
    note_if(old.label != new.label, "has another name", &mut changes);
    note_change("may do", &names(old), &names(new), &mut changes);
    changes
}

fn group_changes(old: &RateGroup, new: &RateGroup) -> Vec<String> {
    let limit =
        |group: &RateGroup| format!("{} requests in {} s", group.limit.requests(), group.limit.window_secs());
    let mut changes = Vec::new();
    note_change("allows", &limit(old), &limit(new), &mut changes);
    note_if(!old.enforced && new.enforced, "is now enforced", &mut changes);
    note_if(old.enforced && !new.enforced, "is no longer enforced", &mut changes);
    changes
}

fn category_changes(old: &Category, new: &Category) -> Vec<String> {
    let mut changes = Vec::new();
    note_if(old.label != new.label, "has another name", &mut changes);
    note_if(!old.management && new.management, "now manages tokens", &mut changes);
    note_if(old.management && !new.management, "no longer manages tokens", &mut changes);
    changes
}

fn ids<'a>(catalog: &'a Catalog, scopes: &ScopeSet) -> Vec<&'a str> {
    let mut ids: Vec<&str> =
        scopes.iter().filter_map(|scope| catalog.scope(scope)).map(|scope| scope.id.as_str()).collect();
    ids.sort_unstable();
    ids
}
