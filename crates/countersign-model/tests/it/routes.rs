//! Matching against an oracle that knows no tree: it keeps the templates that still fit, segment by segment.

use std::{collections::BTreeSet, fmt::Write};

use countersign_model::{api_version::ApiVersion, catalog::Catalog, route::Request};
use proptest::prelude::*;

use crate::support::{SMALL, catalog, scope_id};

/// One generated operation: its scope has the id `kN.sI`, with N its base and I its place in the list.
#[derive(Debug, Clone)]
struct Declared {
    method: &'static str,
    base: usize,
    /// Segments after the base; `None` is a parameter.
    rest: Vec<Option<&'static str>>,
    since: u16,
    until: u16,
}

const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const LITERALS: [&str; 3] = ["a", "b", "A"];

fn declared() -> impl Strategy<Value = Declared> {
    let rest = proptest::collection::vec(proptest::option::of(proptest::sample::select(&LITERALS[..])), 0..4);
    (proptest::sample::select(&METHODS[..]), 0..2_usize, rest, 1..=3_u16, 1..=3_u16).prop_map(
        |(method, base, rest, one, other)| Declared {
            method,
            base,
            rest,
            since: one.min(other),
            until: one.max(other),
        },
    )
}

impl Declared {
    fn conflicts(&self, other: &Self) -> bool {
        let versions = |declared: &Self| (declared.since..=declared.until).collect::<BTreeSet<_>>();
        self.method == other.method
            && self.base == other.base
            && self.rest == other.rest
            && !versions(self).is_disjoint(&versions(other))
    }

    fn path(&self) -> String {
        let mut path = format!("/Base{}", self.base);
        for (index, segment) in self.rest.iter().enumerate() {
            match segment {
                Some(literal) => write!(path, "/{literal}").unwrap(),
                // The first parameter is the SID; names of the others differ from template to template.
                None if self.sid_index() == Some(index + 1) => path.push_str("/{AccountSID}"),
                None => write!(path, "/{{{}{index}}}", self.method).unwrap(),
            }
        }
        path
    }

    fn sid_index(&self) -> Option<usize> {
        self.rest.iter().position(Option::is_none).map(|index| index + 1)
    }
}

fn source(operations: &[Declared]) -> String {
    let mut source = "version_header = \"V\"\nversion_parameter = \"v\"\n".to_owned();
    let label = "{ en = \"x\", zh_cn = \"某\" }";
    for base in 0..2 {
        let code = ["KA", "KB"][base];
        write!(
            source,
            "[[kind]]\nid = \"k{base}\"\ncode = \"{code}\"\nlabel = {label}\npage_label = {label}\nmenu_path = []\n\
             version = [{{ number = 1 }}, {{ number = 2 }}, {{ number = 3 }}]\n\
             role = [{{ id = \"r\", label = {label}, permissions = [\"*\"] }}]\n\
             [[kind.category]]\nid = \"c\"\nlabel = {label}\n"
        )
        .unwrap();
        for (index, operation) in
            operations.iter().enumerate().filter(|(_, operation)| operation.base == base)
        {
            write!(
                source,
                "[[kind.category.scope]]\nid = \"k{base}.s{index}\"\nlabel = {label}\n\
                 operations = [\"{} {}\"]\nsince = {}\nuntil = {}\n",
                operation.method,
                operation.path(),
                operation.since,
                operation.until
            )
            .unwrap();
        }
    }
    source
}

/// The templates that a path matches, by the rules and nothing else.
fn oracle<'d>(operations: &'d [Declared], segments: &[&str]) -> Vec<(usize, &'d Declared)> {
    let mut left: Vec<(usize, &Declared)> = operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| format!("base{}", operation.base) == segments[0].to_lowercase())
        .collect();
    for (index, segment) in segments.iter().enumerate().skip(1) {
        let at = |operation: &Declared| operation.rest.get(index - 1).copied();
        let literal = left.iter().any(|(_, operation)| at(operation) == Some(Some(*segment)));
        left.retain(|(_, operation)| match at(operation) {
            Some(Some(written)) => literal && written == *segment,
            Some(None) => !literal && !segment.is_empty(),
            None => false,
        });
    }
    left.retain(|(_, operation)| operation.rest.len() == segments.len() - 1);
    left
}

fn compare(catalog: &Catalog, operations: &[Declared], segments: &[&str]) {
    let uri = format!("/{}", segments.join("/"));
    let request = Request::read(b"GET", uri.as_bytes(), false).unwrap();
    let expected = oracle(operations, segments);
    let found = catalog.routes.find(&request);
    assert_eq!(found.is_some(), !expected.is_empty(), "{uri}");
    let (Some(route), Some((_, first))) = (found, expected.first()) else { return };
    assert_eq!(catalog.kind_at(route.kind).id, format!("k{}", first.base), "{uri}");
    assert_eq!(route.sid, first.sid_index().map(|index| segments[index]), "{uri}");
    let listed: BTreeSet<String> = route
        .operations()
        .map(|(method, scope)| format!("{method} {}", catalog.scope(scope).unwrap().id))
        .collect();
    let declared: BTreeSet<String> =
        expected.iter().map(|(index, one)| format!("{} k{}.s{index}", one.method, one.base)).collect();
    assert_eq!(listed, declared, "{uri}");
    for (method, asked) in
        METHODS.into_iter().map(|method| (method, method)).chain([("HEAD", "GET"), ("PUT", "PUT")])
    {
        for version in 1..=3 {
            let scope = route.scope(catalog, method, ApiVersion(version));
            let id = scope.map(|scope| catalog.scope(scope).unwrap().id.clone());
            let expected = expected
                .iter()
                .find(|(_, one)| one.method == asked && (one.since..=one.until).contains(&version))
                .map(|(index, one)| format!("k{}.s{index}", one.base));
            assert_eq!(id, expected, "{method} {uri} in {version}");
        }
    }
}

proptest! {
    #[test]
    fn the_tree_finds_what_a_scan_finds(
        operations in proptest::collection::vec(declared(), 0..24),
        paths in proptest::collection::vec(
            ("(Base|BASE|base)[0-2]", proptest::collection::vec("[abAB]|c", 0..5), any::<bool>()),
            1..40,
        ),
    ) {
        let operations = operations.into_iter().fold(Vec::<Declared>::new(), |mut kept, operation| {
            if !kept.iter().any(|other| other.conflicts(&operation)) {
                kept.push(operation);
            }
            kept
        });
        let catalog = catalog(&source(&operations));
        for (base, rest, slash) in &paths {
            let mut segments: Vec<&str> = vec![base];
            segments.extend(rest.iter().map(String::as_str));
            segments.extend(slash.then_some(""));
            compare(&catalog, &operations, &segments);
        }
    }
}

#[test]
fn there_is_no_falling_back() {
    let scope = |id: &str, path: &str| {
        format!(
            "[[kind.category.scope]]\nid = \"depot.{id}\"\nlabel = {{ en = \"x\", zh_cn = \"某\" }}\n\
             operations = [\"GET /Depots/{path}\"]\n"
        )
    };
    let source = [
        SMALL.to_owned(),
        scope("any", "{AccountSID}/{Shelf}/end"),
        scope("fixed", "{AccountSID}/fixed/other"),
        scope("slash", "{AccountSID}/fixed/slash/"),
        scope("open", "Opening"),
    ];
    let catalog = catalog(&source.concat());
    for (path, expected) in [
        ("/Depots/D1/any/end", Some("depot.any")),
        ("/Depots/D1/fixed/other", Some("depot.fixed")),
        // The literal is taken and does not lead there; the parameter is not tried after it.
        ("/Depots/D1/fixed/end", None),
        ("/depots/D1/Fixed/end", Some("depot.any")),
        ("/DEPOTS/D1/fix%65d/other", Some("depot.fixed")),
        ("/Depots/D1/fixed/slash/", Some("depot.slash")),
        ("/Depots/D1/fixed/slash", None),
        ("/Depots/D1/any/end/", None),
        ("/Depots/Opening", Some("depot.open")),
        ("/Depots/opening", None),
        ("/Depots/", None),
        ("/Depots", None),
        ("/", None),
    ] {
        assert_eq!(scope_id(&catalog, "GET", path, 1).as_deref(), expected, "{path}");
    }
}
