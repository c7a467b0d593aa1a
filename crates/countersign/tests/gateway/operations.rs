//! Every operation of the default catalog through forward-auth: with a token that has exactly its scope, and with one
//! that has all others.

use std::collections::BTreeMap;

use countersign_model::catalog::{self, Catalog};

use crate::countersign::{Account, Countersign};

/// The operations as they were handed to us, one a line after the first: kind, category, method, path.
const OPERATIONS: &str = include_str!("../../../countersign-model/tests/data/partnership-operations.tsv");

struct Case<'c> {
    kind: &'c str,
    method: &'c str,
    path: &'c str,
    scope: &'c str,
}

/// The operations with the scope the catalog has for each.
fn cases(catalog: &Catalog) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for line in OPERATIONS.lines().skip(1) {
        let fields: Vec<&'static str> = line.split('\t').collect();
        let (kind, method, path) = (fields[0], fields[2], fields[3]);
        let fitting = |scope: &&catalog::ScopeInfo| {
            let of_kind = scope.kind.is_some_and(|index| catalog.kind_at(index).id == kind);
            of_kind && scope.operations.iter().any(|one| one.method == method && one.path == path)
        };
        let scopes: Vec<_> = catalog.scopes.iter().filter(fitting).collect();
        assert_eq!(scopes.len(), 1, "{line}");
        cases.push(Case { kind, method, path, scope: &scopes[0].id });
    }
    assert_eq!(cases.len(), 200);
    cases
}

/// The line to ask with: the SID in its place, something in every other.
fn line(case: &Case<'_>, sid: &str) -> String {
    let segments: Vec<&str> = case
        .path
        .split('/')
        .map(|segment| match segment {
            "{AccountSID}" => sid,
            segment if segment.starts_with('{') => "x-1.y",
            segment => segment,
        })
        .collect();
    format!("{} {}", case.method, segments.join("/"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_needs_exactly_its_scope() {
    let catalog = catalog::standard().unwrap();
    let cases = cases(&catalog);
    let countersign = Countersign::start().await;
    let mut accounts: BTreeMap<&str, Account> = BTreeMap::new();
    for kind in ["brand", "agency", "partner"] {
        accounts.insert(kind, countersign.account(kind).await);
    }
    for case in &cases {
        let account = &accounts[case.kind];
        let only = countersign.token(account, &format!("only {}", case.scope), &[case.scope]).await;
        let others: Vec<&str> = cases
            .iter()
            .filter(|other| other.kind == case.kind && other.scope != case.scope)
            .map(|other| other.scope)
            .collect();
        let without = countersign.token(account, &format!("without {}", case.scope), &others).await;
        let reply = countersign.forward_auth(&line(case, &only.sid), Some(&only.basic())).await;
        assert_eq!(reply.status, 200, "{}: {reply:?}", case.scope);
        assert_eq!(reply.header("x-countersign-scope"), case.scope);
        let reply = countersign.forward_auth(&line(case, &without.sid), Some(&without.basic())).await;
        assert_eq!(reply.status, 403, "{}: {reply:?}", case.scope);
        assert_eq!(reply.json()["code"], "scope_missing");
        assert_eq!(reply.json()["scope"], case.scope);
        if case.method == "GET" {
            let head = line(case, &only.sid).replacen("GET", "HEAD", 1);
            assert_eq!(
                countersign.forward_auth(&head, Some(&only.basic())).await.status,
                200,
                "HEAD of {}",
                case.scope
            );
        }
    }
}
