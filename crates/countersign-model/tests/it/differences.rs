//! What a new catalog changes, as it is told to the operator.

use countersign_model::catalog::{Catalog, Numbering, compile, diff, parse, standard};

use crate::support::SMALL;

fn told(old: &Catalog, new: &Catalog) -> Vec<String> {
    diff(old, new)
        .iter()
        .map(|one| {
            let kind = one.kind.as_deref().unwrap_or("-");
            format!("{} {} {kind} {}: {}", one.fate.as_str(), one.subject.as_str(), one.id, one.sentence)
        })
        .collect()
}

/// The small catalog, and it again after a change, over the same numbers.
fn pair(find: &str, replace: &str) -> (Catalog, Catalog) {
    assert!(SMALL.contains(find), "{find}");
    let (old, numbering) = compile(&parse(SMALL).unwrap(), &Numbering::default()).unwrap();
    let (new, _) = compile(&parse(&SMALL.replacen(find, replace, 1)).unwrap(), &numbering).unwrap();
    (old, new)
}

#[test]
fn a_catalog_does_not_differ_from_itself() {
    let standard = standard().unwrap();
    assert!(diff(&standard, &standard).is_empty());
}

#[test]
fn changes_there_and_back() {
    for (find, replace, forth, back) in CASES {
        let (old, new) = pair(find, replace);
        assert_eq!(told(&old, &new), *forth, "{find:?} -> {replace:?}");
        assert_eq!(told(&new, &old), *back, "{replace:?} -> {find:?}");
    }
}

type Case = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("method_override = true", "method_override = false",
        &["changed setting - method_override: The setting method_override was on and becomes off."],
        &["changed setting - method_override: The setting method_override was off and becomes on."]),
    ("en = \"Shop\"", "en = \"Store\"",
        &["changed kind - shop: The account kind shop has another name."],
        &["changed kind - shop: The account kind shop has another name."]),
    ("code = \"SH\"", "code = \"SH\"\ntoken_lifetime_days = 90\nbase_url = \"https://api.example.com\"",
        &["changed kind - shop: The account kind shop lets tokens live for 90 days (before: as long as they say), reaches its API at https://api.example.com (before: no address)."],
        &["changed kind - shop: The account kind shop lets tokens live for as long as they say (before: 90 days), reaches its API at no address (before: https://api.example.com)."]),
    ("number = 2\n", "number = 2\nreleased = 2026-01-01\n\n[[kind.version]]\nnumber = 3\n",
        &["changed version shop 2: Version 2 of shop is released 2026-01-01 (before: no date).",
          "added version shop 3: Version 3 of shop is new."],
        &["removed version shop 3: Version 3 of shop is gone.",
          "changed version shop 2: Version 2 of shop is released no date (before: 2026-01-01)."]),
    ("permissions = [\"tokens.view\"]", "permissions = []",
        &["changed role shop clerk: The role clerk of shop may do nothing (before: tokens.view)."],
        &["changed role shop clerk: The role clerk of shop may do tokens.view (before: nothing)."]),
    ("id = \"clerk\"", "id = \"helper\"",
        &["removed role shop clerk: The role clerk of shop is gone.", "added role shop helper: The role helper of shop is new."],
        &["removed role shop helper: The role helper of shop is gone.", "added role shop clerk: The role clerk of shop is new."]),
    ("requests = 100\nwindow_secs = 60\nenforced = true", "requests = 200\nwindow_secs = 60\nenforced = false",
        &["changed rate_group shop default: The rate group default of shop allows 200 requests in 60 s (before: 100 requests in 60 s), is no longer enforced."],
        &["changed rate_group shop default: The rate group default of shop allows 100 requests in 60 s (before: 200 requests in 60 s), is now enforced."]),
    ("scopes = [\"shop.orders.list\"]", "scopes = [\"shop.orders.create\"]",
        &["changed preset shop orders: The preset orders of shop holds other scopes."],
        &["changed preset shop orders: The preset orders of shop holds other scopes."]),
    ("since = 2\n", "",
        &["changed scope shop shop.orders.create: The scope shop.orders.create begins with version the first (before: 2)."],
        &["changed scope shop shop.orders.create: The scope shop.orders.create begins with version 2 (before: the first)."]),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"PUT /Shops/{AccountSID}/Orders\"",
        &["changed scope shop shop.orders.create: The scope shop.orders.create lets its holders call PUT /Shops/{AccountSID}/Orders, no longer lets its holders call POST /Shops/{AccountSID}/Orders."],
        &["changed scope shop shop.orders.create: The scope shop.orders.create lets its holders call POST /Shops/{AccountSID}/Orders, no longer lets its holders call PUT /Shops/{AccountSID}/Orders."]),
    ("shop.orders.create", "shop.orders.place",
        &["removed scope shop shop.orders.create: The scope shop.orders.create is retired: tokens keep it in their list, and it grants nothing.",
          "added scope shop shop.orders.place: The scope shop.orders.place is new: no token has it yet."],
        &["removed scope shop shop.orders.place: The scope shop.orders.place is retired: tokens keep it in their list, and it grants nothing.",
          "added scope shop shop.orders.create: The scope shop.orders.create is back: it grants again what it says to tokens that still hold it."]),
];
