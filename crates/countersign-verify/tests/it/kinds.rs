//! T-21, the confused deputy: a token acts for its own account and kind only. Kind by kind by scope, over the default
//! catalog, with tokens that hold every scope of every kind.

use std::sync::Arc;

use countersign_model::{
    catalog::{Catalog, Operation, standard},
    change::Record,
    decision::Decision,
    grant::Access,
    scope::ScopeSet,
};

use crate::scene::{NOW, OwnedAsk, Want, account, basic, code, minted, secret_record, token, verifier};

const FOREIGN_SID: &str = "XX9999999999999999999999999";

/// The path of an operation with this SID in it.
fn path(operation: &Operation, sid: &str) -> String {
    let fill = |segment: &str| match segment {
        "{AccountSID}" => sid.to_owned(),
        parameter if parameter.starts_with('{') => "7".to_owned(),
        literal => literal.to_owned(),
    };
    operation.path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

struct Matrix {
    catalog: Arc<Catalog>,
    asks: usize,
}

impl Matrix {
    /// One token of each kind with this access, against every scope of every kind.
    fn run(&mut self, access: &Access, expected_of_own: impl Fn(&Operation) -> &'static str) {
        let catalog = Arc::clone(&self.catalog);
        for (number, kind) in catalog.kinds.iter().enumerate() {
            let mut owner = account(number as u128 + 1, &kind.id);
            owner.legacy_tokens = true;
            let sid = format!("{}1", kind.label.en);
            let mut own = token(1, &owner, &sid, access.clone(), vec![secret_record(&minted(1), 1, None)]);
            own.api_version = kind.latest();
            let verifier = verifier([
                Record::Catalog(Arc::clone(&catalog)),
                Record::Account(Arc::new(owner)),
                Record::Token(Arc::new(own)),
            ]);
            let authorization = basic(&sid, &minted(1));
            for scope in &catalog.scopes {
                let is_own = catalog.kind_at(scope.kind.unwrap()).id == kind.id;
                for operation in &scope.operations {
                    let uri = path(operation, &sid);
                    let decision = OwnedAsk::request(authorization.clone(), &operation.method, &uri)
                        .decide(&verifier, NOW);
                    let expected = if is_own { expected_of_own(operation) } else { "account_mismatch" };
                    assert_eq!(
                        code(&decision),
                        expected,
                        "a {} token at {} {uri}",
                        kind.id,
                        operation.method
                    );
                    if let Decision::Allow(allowed) = decision {
                        assert_eq!(allowed.scope, Some(scope.number), "{uri}");
                    }
                    if operation.path.contains("{AccountSID}") {
                        let foreign = path(operation, FOREIGN_SID);
                        let ask = OwnedAsk::request(authorization.clone(), &operation.method, &foreign);
                        assert_eq!(ask.code(&verifier), "account_mismatch", "{foreign}");
                        self.asks += 1;
                    }
                    self.asks += 1;
                }
                let named =
                    OwnedAsk::new(authorization.clone(), Want::Scope(scope.id.clone())).code(&verifier);
                assert_eq!(
                    named == "account_mismatch",
                    !is_own,
                    "a {} token and {}: {named}",
                    kind.id,
                    scope.id
                );
                self.asks += 1;
            }
        }
    }
}

#[test]
fn no_token_reaches_another_kind_or_another_sid() {
    let catalog = standard().unwrap();
    assert!(catalog.kinds.len() >= 3);
    let all: ScopeSet = catalog.scopes.iter().map(|scope| scope.number).collect();
    let operations: usize = catalog.scopes.iter().map(|scope| scope.operations.len()).sum();
    assert_eq!(operations, 200);
    let mut matrix = Matrix { catalog, asks: 0 };
    matrix.run(&Access::Scoped(all), |_| "allow");
    matrix.run(&Access::ReadWrite, |_| "allow");
    matrix.run(
        &Access::ReadOnly,
        |operation| if operation.method == "GET" { "allow" } else { "write_not_allowed" },
    );
    println!("T-21: {} asks", matrix.asks);
}

#[test]
fn exactly_the_scope_of_an_operation_opens_it() {
    let catalog = standard().unwrap();
    let all: ScopeSet = catalog.scopes.iter().map(|scope| scope.number).collect();
    for scope in catalog.scopes.iter().filter(|scope| !scope.operations.is_empty()) {
        let kind = catalog.kind_at(scope.kind.unwrap());
        let owner = account(1, &kind.id);
        let mut others = all.clone();
        others.remove(scope.number);
        let only = [scope.number].into_iter().collect();
        for (scopes, expected) in [(only, "allow"), (others, "scope_missing")] {
            let mut own =
                token(1, &owner, "SID1", Access::Scoped(scopes), vec![secret_record(&minted(1), 1, None)]);
            own.api_version = kind.latest();
            let verifier = verifier([
                Record::Catalog(Arc::clone(&catalog)),
                Record::Account(Arc::new(owner.clone())),
                Record::Token(Arc::new(own)),
            ]);
            for operation in &scope.operations {
                let ask =
                    OwnedAsk::request(basic("SID1", &minted(1)), &operation.method, &path(operation, "SID1"));
                assert_eq!(ask.code(&verifier), expected, "{} for {}", operation.path, scope.id);
            }
        }
    }
}
