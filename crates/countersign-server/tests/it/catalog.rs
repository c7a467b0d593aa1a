//! Showing, checking and loading the catalog.

use serde_json::json;

use crate::harness::{ADMINISTRATOR, World};

const PATH: &str = "/api/v1/catalog";

#[tokio::test]
async fn everybody_sees_the_kinds_of_their_own_accounts() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let all = world.operator.get(PATH).await.expect(200).json();
    let kinds: Vec<_> =
        all["kinds"].as_array().unwrap().iter().map(|kind| kind["id"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["brand", "agency", "partner"]);
    let own = ada.get(PATH).await.expect(200).json();
    assert_eq!(own["kinds"].as_array().unwrap().len(), 1);
    let brand = &own["kinds"][0];
    assert_eq!((&brand["id"], &brand["latest_version"]), (&json!("brand"), &json!(14)));
    assert_eq!(brand["roles"][0]["permissions"].as_array().unwrap().len(), 6);
    let scope = &brand["categories"][0]["scopes"][0];
    for field in ["id", "label", "operations", "reads"] {
        assert!(!scope[field].is_null(), "{field}: {scope}");
    }
    assert!(scope["label"]["zh-CN"].as_str().unwrap().chars().any(|letter| letter as u32 > 0x2e80));
}

#[tokio::test]
async fn a_new_file_says_what_it_changes_and_is_in_force_on_the_answer() {
    let world = World::new().await;
    let stored = world.operator.get("/api/v1/catalog/source").await.expect(200).json();
    assert_eq!(stored["number"], 1);
    let source = stored["source"].as_str().unwrap();
    let same =
        world.operator.post("/api/v1/catalog/check", json!({ "source": source })).await.expect(200).json();
    assert_eq!(same["differences"], json!([]));
    let changed = source.replacen("\"analyst\"", "\"reader\"", 1);
    let told =
        world.operator.post("/api/v1/catalog/check", json!({ "source": changed })).await.expect(200).json();
    assert_eq!(told["differences"].as_array().unwrap().len(), 2, "{told}");
    let before = world.operator.get(PATH).await.expect(200).text();
    let loaded = world.operator.put(PATH, json!({ "source": changed })).await.expect(200).json();
    assert_eq!((&loaded["number"], &loaded["differences"]), (&json!(2), &told["differences"]));
    let after = world.operator.get(PATH).await.expect(200).text();
    assert!(!before.contains("\"reader\"") && after.contains("\"reader\""));
    let entry = world.operator.get("/api/v1/audit?action=catalog.load&limit=1").await.expect(200).json();
    assert_eq!(entry["items"][0]["after"]["number"], 2);
}

#[tokio::test]
async fn a_file_with_problems_changes_nothing_and_lists_them() {
    let world = World::new().await;
    let bad = "version_header = 7\n[[kind]]\nid = \"Brand!\"\n";
    for (method, path) in [("POST", "/api/v1/catalog/check"), ("PUT", PATH)] {
        let answer = world.operator.request(method, path).json(&json!({ "source": bad })).send().await;
        let problem = answer.expect_problem(422, "catalog_invalid").json();
        let problems = problem["problems"].as_array().unwrap();
        assert!(problems.len() > 1);
        for one in problems {
            assert!(
                one["line"].is_u64()
                    && one["column"].is_u64()
                    && one["message"].is_string()
                    && one["fix"].is_string()
            );
        }
    }
    assert_eq!(world.operator.get("/api/v1/catalog/source").await.json()["number"], 1);
    let huge = "#".repeat(6 * 1024 * 1024);
    world.operator.put(PATH, json!({ "source": huge })).await.expect_problem(413, "body_too_large");
    let long = format!("# {}\n", "x".repeat(100)).repeat(42_000);
    world.operator.put(PATH, json!({ "source": long })).await.expect_problem(422, "catalog_invalid");
}
