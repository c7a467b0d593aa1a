//! Numbers of scopes over the life of an installation: files come and go, a number stays with its id.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use countersign_model::{
    catalog::{Numbering, compile, parse},
    scope::Scope,
};
use proptest::prelude::*;

use crate::support::{SMALL, scope_id};

/// The small catalog with these scopes beside its own, in this order.
fn source(scopes: &[u8]) -> String {
    scopes.iter().fold(SMALL.to_owned(), |mut source, number| {
        write!(
            source,
            "[[kind.category.scope]]\nid = \"depot.s{number}\"\nlabel = {{ en = \"S {number}\", zh_cn = \"某\" }}\n\
             operations = [\"GET /Depots/{{AccountSID}}/{number}\"]\n"
        )
        .unwrap();
        source
    })
}

proptest! {
    #[test]
    fn a_number_never_means_another_scope(
        files in proptest::collection::vec(proptest::collection::btree_set(0_u8..12, 0..8), 1..8),
        reversed in any::<bool>(),
    ) {
        let mut numbering = Numbering::default();
        let mut known: BTreeMap<String, Scope> = BTreeMap::new();
        for numbers in &files {
            let mut ordered: Vec<u8> = numbers.iter().copied().collect();
            if reversed {
                ordered.reverse();
            }
            let (catalog, next) = compile(&parse(&source(&ordered)).unwrap(), &numbering).unwrap();
            prop_assert!(next.continues(&numbering));
            let ids: BTreeSet<&str> = next.ids().collect();
            prop_assert_eq!(ids.len(), next.len(), "an id has one number");
            prop_assert_eq!(catalog.scopes.len(), next.len());
            for (index, id) in next.ids().enumerate() {
                let scope = catalog.scope_by_id(id).unwrap();
                prop_assert_eq!(usize::from(scope.number.0), index);
                prop_assert_eq!(*known.entry(id.to_owned()).or_insert(scope.number), scope.number);
                let number = id.strip_prefix("depot.s").map(|number| number.parse::<u8>().unwrap());
                let live = number.is_none_or(|number| numbers.contains(&number));
                prop_assert_eq!(scope.is_retired(), !live, "{}", id);
                let Some(number) = number else { continue };
                let expected = live.then_some(id);
                let found = scope_id(&catalog, "GET", &format!("/Depots/D/{number}"), 1);
                prop_assert_eq!(found.as_deref(), expected);
                prop_assert_eq!(scope.label.en == id, !live);
            }
            let listed: BTreeSet<&str> = catalog
                .kinds
                .iter()
                .flat_map(|kind| &kind.categories)
                .flat_map(|category| &category.scopes)
                .map(|scope| catalog.scope(*scope).unwrap().id.as_str())
                .collect();
            let live: BTreeSet<&str> =
                catalog.scopes.iter().filter(|scope| !scope.is_retired()).map(|scope| scope.id.as_str()).collect();
            prop_assert_eq!(listed, live);
            let stored = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Numbering>(&stored).unwrap(), &next);
            numbering = next;
        }
    }
}
