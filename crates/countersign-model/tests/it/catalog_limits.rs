//! The limits of a catalog file: what just fits, and what is told one step further.

use std::fmt::Write;

use countersign_model::{
    catalog::{Numbering, compile, parse},
    limits::{
        API_VERSIONS_MAX, CATALOG_BYTES_MAX, CATALOG_ID_BYTES_MAX, CATALOG_KINDS_MAX, ROLES_MAX, SCOPES_MAX,
    },
};

use crate::support::{SMALL, told};

/// Parses and answers the messages, without their places.
fn messages(source: &str) -> Vec<String> {
    parse(source).err().unwrap_or_default().into_iter().map(|problem| problem.message).collect()
}

fn repeated(count: usize, mut entry: impl FnMut(usize) -> String) -> String {
    (0..count).map(|number| entry(number + 1)).collect()
}

#[test]
fn bytes() {
    let filled = |bytes: usize| format!("{SMALL}#{}", "x".repeat(bytes - SMALL.len() - 1));
    assert!(messages(&filled(CATALOG_BYTES_MAX)).is_empty());
    assert_eq!(
        messages(&filled(CATALOG_BYTES_MAX + 1)),
        ["the file has 4194305 bytes; the limit is 4194304"]
    );
}

#[test]
fn kinds() {
    let kind = |number: usize| {
        let letter = char::from(b'A' + u8::try_from(number).unwrap());
        format!(
            "[[kind]]\nid = \"k{number}\"\ncode = \"X{letter}\"\nlabel = {{ en = \"x\", zh_cn = \"某\" }}\n\
             page_label = {{ en = \"x\", zh_cn = \"某\" }}\nmenu_path = []\nversion = [{{ number = 1 }}]\n\
             role = [{{ id = \"r\", label = {{ en = \"x\", zh_cn = \"某\" }}, permissions = [\"*\"] }}]\n"
        )
    };
    assert!(messages(&format!("{SMALL}{}", repeated(CATALOG_KINDS_MAX - 2, kind))).is_empty());
    let over = messages(&format!("{SMALL}{}", repeated(CATALOG_KINDS_MAX - 1, kind)));
    assert_eq!(over, ["there are 17 `kind` entries; the limit is 16"]);
}

#[test]
fn versions_and_roles() {
    let versions = |count| {
        SMALL.replace(
            "[[kind.version]]\nnumber = 2\n",
            &repeated(count, |number| format!("[[kind.version]]\nnumber = {}\n", number + 1)),
        )
    };
    assert!(messages(&versions(API_VERSIONS_MAX - 1)).is_empty());
    assert_eq!(messages(&versions(API_VERSIONS_MAX)), ["there are 201 `version` entries; the limit is 200"]);
    let roles = |count| {
        SMALL.replace("[[kind.rate_group]]", &format!("{}[[kind.rate_group]]", repeated(count, |number| {
        format!("[[kind.role]]\nid = \"r{number}\"\nlabel = {{ en = \"x\", zh_cn = \"某\" }}\npermissions = []\n")
    })))
    };
    assert!(messages(&roles(ROLES_MAX - 2)).is_empty());
    assert_eq!(messages(&roles(ROLES_MAX - 1)), ["there are 33 `role` entries; the limit is 32"]);
}

#[test]
fn operations_of_a_scope_and_steps_of_a_menu() {
    let operations = |count| {
        SMALL.replace(
            "\"POST /Shops/{AccountSID}/Orders\"",
            &repeated(count, |number| format!("\"POST /Shops/{{AccountSID}}/Orders{number}\",")),
        )
    };
    assert!(messages(&operations(32)).is_empty());
    assert_eq!(messages(&operations(33)), ["the scope has 33 operations; the limit is 32"]);
    let menu = |count| {
        SMALL.replace(
            "menu_path = []",
            &format!(
                "menu_path = [{}]",
                repeated(count, |_| { "{ en = \"x\", zh_cn = \"某\" },".to_owned() })
            ),
        )
    };
    assert!(messages(&menu(8)).is_empty());
    assert_eq!(messages(&menu(9)), ["the menu path has more than 8 steps"]);
}

#[test]
fn ids_and_labels() {
    let id = |length: usize| SMALL.replace("id = \"clerk\"", &format!("id = \"{}\"", "c".repeat(length)));
    assert!(messages(&id(CATALOG_ID_BYTES_MAX)).is_empty());
    assert!(messages(&id(CATALOG_ID_BYTES_MAX + 1))[0].ends_with("is not an id"));
    let label =
        |length: usize| SMALL.replace("zh_cn = \"店员\"", &format!("zh_cn = \"{}\"", "店".repeat(length)));
    assert!(messages(&label(100)).is_empty());
    assert_eq!(messages(&label(101)), ["the label cannot be shown: it has 101 characters; the limit is 100"]);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let source = format!("{SMALL}\nx = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(!messages(&source).is_empty());
    let source = format!("{SMALL}\nx{} = 1", ".x".repeat(100_000));
    assert!(!messages(&source).is_empty());
}

/// The small catalog with so many scopes more.
fn with_scopes(count: usize) -> String {
    let mut source = SMALL.to_owned();
    for number in 0..count {
        write!(
            source,
            "[[kind.category.scope]]\nid = \"depot.s{number}\"\nlabel = {{ en = \"x\", zh_cn = \"某\" }}\n\
             operations = [\"GET /Depots/{number}\"]\n"
        )
        .unwrap();
    }
    source
}

#[test]
fn scopes_of_a_file() {
    let file = parse(&with_scopes(SCOPES_MAX - 4)).unwrap();
    let (catalog, numbering) = compile(&file, &Numbering::default()).unwrap();
    assert_eq!((catalog.scopes.len(), numbering.len()), (SCOPES_MAX, SCOPES_MAX));
    assert_eq!(messages(&with_scopes(SCOPES_MAX - 3)), ["the file has 4097 scopes; the limit is 4096"]);
}

#[test]
fn numbers_that_were_ever_given() {
    let given: Vec<String> = (0..SCOPES_MAX - 4).map(|number| format!("gone.s{number}")).collect();
    let numbering: Numbering = serde_json::from_value(given.into()).unwrap();
    let (catalog, full) = compile(&parse(SMALL).unwrap(), &numbering).unwrap();
    assert_eq!((catalog.scopes.len(), full.len()), (SCOPES_MAX, SCOPES_MAX));
    assert!(compile(&parse(SMALL).unwrap(), &full).is_ok());
    let problem = compile(&parse(&with_scopes(1)).unwrap(), &full).unwrap_err();
    assert_eq!(
        told(&[problem]),
        "line 1, column 1: 4096 scopes had a number before, and with this file more than 4096 would; \
         give operations to scopes that exist; the numbers of retired scopes are never used again\n"
    );
}
