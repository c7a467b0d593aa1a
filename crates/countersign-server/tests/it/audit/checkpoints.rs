//! Signed checkpoints: made when there is something new, held against the trail, and the trail trimmed behind them.

use countersign_model::time::Timestamp;
use countersign_server::ops::checkpoints;
use serde_json::{Value, json};

use crate::harness::World;

async fn newest(world: &World) -> Value {
    let line = checkpoints::make(&world.app).await.unwrap().expect("there is something new");
    serde_json::from_str(&checkpoints::line(world.app.signer.cluster(), &line)).unwrap()
}

async fn held(world: &World, kept: &[&Value]) -> Value {
    let asked = json!({ "checkpoints": kept });
    world.operator.post("/api/v1/audit/checkpoints/check", asked).await.expect(200).json()
}

#[tokio::test]
async fn a_trail_is_held_to_what_was_signed_of_it() {
    let world = World::new().await;
    let first = newest(&world).await;
    assert!(checkpoints::make(&world.app).await.unwrap().is_none(), "nothing happened since");
    world.account("one").await;
    let second = newest(&world).await;
    assert!(second["number"].as_u64() > first["number"].as_u64());
    let listed = world.operator.get("/api/v1/audit/checkpoints").await.expect(200).json();
    assert_eq!(listed["items"][0], second, "the list has what is kept elsewhere");

    let agrees = held(&world, &[&first, &second]).await;
    assert_eq!((&agrees["agrees"], &agrees["compared"]), (&json!(true), &json!(2)), "{agrees}");
    let later = json!({ "number": second["number"].as_u64().unwrap() + 40 });
    for (what, change) in [
        ("a later entry", later),
        ("another hash", json!({ "hash": "00".repeat(32) })),
        ("another installation", json!({ "signature": "11".repeat(64) })),
        ("another time", json!({ "at": "2030-01-01T00:00:00Z" })),
    ] {
        let mut forged = second.clone();
        for (name, value) in change.as_object().unwrap() {
            forged[name] = value.clone();
        }
        let found = held(&world, &[&first, &forged]).await;
        assert_eq!(found["agrees"], false, "{what}: {found}");
    }
    // A trail that is shorter than what was signed: the signature is ours, and the entry is not there.
    let facts = world.app.store.facts().await.unwrap();
    let beyond = countersign_server::audit_signer::Statement::Checkpoint;
    let signed =
        world.app.signer.sign(beyond, facts.audit_entries + 5, [9; 32], Timestamp::from_unix_secs(1));
    let line: Value = serde_json::from_str(&checkpoints::line(world.app.signer.cluster(), &signed)).unwrap();
    let found = held(&world, &[&line]).await;
    assert!(found["reason"].as_str().unwrap().contains("cut off"), "{found}");
}

#[tokio::test]
async fn what_is_no_checkpoint_is_refused_with_its_place() {
    let world = World::new().await;
    let operator = &world.operator;
    let good = newest(&world).await;
    for bad in [json!({}), json!(1), json!({ "number": -1 }), json!({ "number": 1, "hash": "zz" })] {
        let asked = json!({ "checkpoints": [good, bad] });
        let answer = operator.post("/api/v1/audit/checkpoints/check", asked).await.expect(422).json();
        assert_eq!(answer["field"], "checkpoints[1]", "{answer}");
    }
    let many = json!({ "checkpoints": vec![good; 101] });
    let answer = operator.post("/api/v1/audit/checkpoints/check", many).await.expect(422).json();
    assert_eq!(answer["field"], "checkpoints", "{answer}");
}

#[tokio::test]
async fn a_trimmed_trail_verifies_and_a_forged_end_does_not() {
    let world = World::new().await;
    for name in ["one", "two", "three"] {
        world.account(name).await;
    }
    let before = newest(&world).await;
    let removed = checkpoints::trim(&world.app, world.app.clock.wall().plus_secs(1)).await.unwrap();
    assert!(removed > 0);
    let operator = &world.operator;
    let finding = operator.request("POST", "/api/v1/audit/verify").send().await.expect(200).json();
    assert_eq!(finding["whole"], true, "{finding}");
    let entries = operator.get("/api/v1/audit?action=audit.trim").await.expect(200).json();
    assert_eq!(entries["items"].as_array().unwrap().len(), 1, "{entries}");
    let found = held(&world, &[&before]).await;
    assert_eq!(found["agrees"], true, "what was removed by age is passed over or still there: {found}");
    assert_eq!(checkpoints::floor_holds(&world.app).await.unwrap().map(|(_, holds)| holds), Some(true));
}
