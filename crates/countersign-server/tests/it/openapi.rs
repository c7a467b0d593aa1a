//! The OpenAPI document: complete for people and for machines, true about who may ask, and the same as the copy of it in
//! docs/openapi.json from which clients are generated.

use std::{collections::BTreeSet, path::Path};

use countersign_model::actor::{ManagementRight, Permission};
use countersign_server::{http::document, ops::profile::LANGUAGES};
use serde_json::{Value, json};

use crate::rights::TABLE;

fn generated() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Method, path and description of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

#[test]
fn the_committed_copy_is_the_generated_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let generated = document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/openapi.json is stale; renew it with: UPDATE_OPENAPI=1 cargo test -p countersign-server --test it openapi"
    );
}

#[test]
fn every_operation_says_what_it_does_and_what_may_come_back() {
    let document = generated();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{place}: the id stands twice"
        );
        let summary = operation["summary"].as_str().unwrap();
        assert!(
            summary.len() <= 80 && summary.ends_with('.') && !summary.contains('\n'),
            "{place}: {summary}"
        );
        assert!(
            operation["description"].as_str().is_some_and(|words| words.len() > 20),
            "{place}: no description"
        );
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let edits = parameters.clone().any(|parameter| parameter["name"] == "If-Match");
        assert_eq!(
            operation["responses"]["428"].is_object(),
            edits,
            "{place}: If-Match and 428 belong together"
        );
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{place}: {}", parameter["name"]);
        }
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{place}");
        for status in ["400", "401", "429", "500", "503"] {
            assert!(answers.contains_key(status), "{place}: {status}");
        }
        for (status, answer) in answers {
            let shared = answer["$ref"].as_str().map(|place| place.strip_prefix('#').unwrap());
            let answer = shared.map_or(answer, |place| document.pointer(place).unwrap());
            let headers = answer["headers"].as_object().unwrap();
            assert!(headers.contains_key("X-Request-Id"), "{place}: {status}");
            assert_eq!(headers.contains_key("WWW-Authenticate"), status == "401", "{place}: {status}");
            assert_eq!(
                headers.contains_key("Retry-After"),
                ["429", "503"].contains(&status.as_str()),
                "{place}"
            );
            if !status.starts_with('2') {
                let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
                assert_eq!(answer["content"], content, "{place}: {status}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        if let Some(place) = value["$ref"].as_str() {
            assert!(document.pointer(place.strip_prefix('#').unwrap()).is_some(), "{place}");
        }
        let inside = value.as_object().into_iter().flat_map(|fields| fields.values());
        inside.chain(value.as_array().into_iter().flatten()).for_each(|value| check(document, value));
    }
    let document = generated();
    check(&document, &document);
}

/// The same table that every caller is tried against.
#[test]
fn who_may_ask_is_told_as_it_is() {
    let document = generated();
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(&document) {
        let (.., expected) = TABLE.iter().find(|row| row.0 == method && row.1 == path).unwrap();
        let may = |caller: usize| expected.as_bytes()[caller] == b'a';
        let told =
            if operation["security"].is_null() { &document["security"] } else { &operation["security"] };
        let told: Vec<&str> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|scheme| scheme.as_object().unwrap().keys().next().map_or("nobody", String::as_str))
            .collect();
        let mut due = Vec::new();
        if may(0) {
            due.push("nobody");
        } else {
            let people = (1..=5).any(may);
            due.extend(people.then_some("session"));
            due.extend(may(8).then_some("platform_credential"));
            due.extend(may(6).then_some(["token_bearer", "token_basic"]).into_iter().flatten());
        }
        if told != due {
            wrong.push(format!("{method} {path}: told {told:?}, may {due:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_lists_of_words_are_those_of_the_rules() {
    let document = generated();
    let told = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    assert_eq!(told("Permission"), json!(Permission::ALL.map(Permission::as_str)));
    assert_eq!(told("ManagementRight"), json!(ManagementRight::ALL.map(ManagementRight::as_str)));
    assert_eq!(told("Language"), json!(LANGUAGES));
}
