//! Who still uses which API version, from the decision to the operator's report, and the last moment of a version.

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
    time::Timestamp,
};
use countersign_server::node::UsageFlush;
use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::load_catalog;
use crate::tokens::world::{HOME, Who, World};

/// Decides one request in a version, and answers the code.
pub fn call(world: &World, sid: &str, secret: &str, version: Option<&str>) -> &'static str {
    let header = format!("Bearer {secret}");
    let uri = format!("/Advertisers/{sid}/Actions");
    let versions: Vec<&[u8]> = version.into_iter().map(str::as_bytes).collect();
    let ask = Ask {
        authorization: Authorization::One(header.as_bytes()),
        target: Target::Request { method: b"GET", uri: uri.as_bytes() },
        version_headers: &versions,
        client_address: Some(HOME.parse().unwrap()),
        min_seq: None,
    };
    match world.app.verifier.decide(&ask, world.app.clock.now()) {
        Decision::Allow(_) => "allowed",
        Decision::Deny(denied) => denied.denial.code(),
        Decision::Unavailable(reason) => reason.code(),
    }
}

/// Writes the uses that were counted, as the node does every second.
pub async fn flush(world: &World) {
    let app = &world.app;
    let stopped = CancellationToken::new();
    stopped.cancel();
    let uses = UsageFlush::begin(app, Counter::default()).await.unwrap();
    uses.run(stopped).await;
}

fn row<'r>(report: &'r Value, kind: &str, number: u16) -> &'r Value {
    let rows = report["items"].as_array().unwrap();
    rows.iter().find(|row| row["kind"] == kind && row["number"] == number).unwrap()
}

fn counts(row: &Value) -> [u64; 4] {
    ["tokens", "tokens_own", "tokens_used", "accounts"].map(|field| row[field].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_counts_own_versions_and_uses_and_names_whom_to_talk_to() {
    let world = World::new().await;
    let (acme, zeta) = (world.home("brand", "acme").await, world.home("brand", "zeta").await);
    load_catalog(
        &world,
        &[("number = 12\n", "number = 12\ndeprecated = 2026-01-01\nsunset = 2027-01-01\nnotes_url = \"https://example.com/12\"\n")],
    )
    .await;
    let scopes = json!({ "scopes": ["brand.actions.list"], "developer_emails": ["dev@example.com"] });
    let (reader, secret) = world.token(&acme, "Reader", scopes).await;
    world.token(&zeta, "Old", json!({ "api_version": 12 })).await;
    let sid = reader["sid"].as_str().unwrap();
    assert_eq!(call(&world, sid, &secret, Some("12")), "allowed");
    assert_eq!(call(&world, sid, &secret, None), "allowed");
    assert_eq!(world.decide(&secret), "allowed", "and who only asks what it is uses no version");
    // The last use is told at once, written down or not.
    let path = format!("/accounts/{}/tokens/{}", acme.account, reader["id"].as_str().unwrap());
    let told = world.get(&acme.who, &path).await.expect(200).json;
    assert_eq!(told["last_used_at"], "2026-07-01T12:00:00Z");
    flush(&world).await;

    let report = world.get(&Who::Operator, "/versions").await.expect(200).json;
    assert_eq!(counts(row(&report, "brand", 12)), [2, 1, 1, 2]);
    assert_eq!(counts(row(&report, "brand", 14)), [1, 1, 1, 1]);
    assert_eq!(counts(row(&report, "brand", 13)), [0, 0, 0, 0]);
    let twelve = row(&report, "brand", 12);
    assert_eq!((&twelve["state"], &twelve["latest"]), (&json!("deprecated"), &json!(false)));
    assert_eq!(twelve["sunset_at"], "2027-01-01T00:00:00Z");
    assert_eq!(twelve["notes_url"], "https://example.com/12");
    let fourteen = row(&report, "brand", 14);
    assert_eq!((&fourteen["state"], &fourteen["latest"]), (&json!("current"), &json!(true)));
    assert_eq!(report["items"].as_array().unwrap().len(), 12, "every version of every kind");

    let users = world.get(&Who::Operator, "/versions/brand/12/tokens?limit=1").await.expect(200).json;
    let first = &users["items"][0];
    assert_eq!(first["account"]["external_id"], "acme");
    assert_eq!((&first["name"], &first["sid"]), (&json!("Reader"), &json!(sid)));
    assert_eq!((&first["api_version"], &first["access"]), (&json!(14), &json!("scoped")));
    assert_eq!(first["last_used_at"], "2026-07-01T12:00:00Z");
    assert_eq!(first["primary_contact"]["email"], "admin@acme.example");
    assert_eq!(first["developer_emails"], json!(["dev@example.com"]));
    let next = users["next"].as_str().unwrap();
    let path = format!("/versions/brand/12/tokens?limit=1&after={next}");
    let second = world.get(&Who::Operator, &path).await.expect(200).json;
    assert_eq!((&second["items"][0]["name"], &second["next"]), (&json!("Old"), &json!(null)));
    assert_eq!(second["items"][0]["last_used_at"], json!(null));
    for path in ["/versions/none/12/tokens", "/versions/brand/x/tokens", "/versions/brand/012/tokens"] {
        world.get(&Who::Operator, path).await.expect(404);
    }
    world.get(&acme.who, "/versions").await.expect_code(403, "operators_only");

    // A use counts for thirty days.
    world.app.clock.advance_secs(30 * 86_400);
    let report = world.get(&Who::Operator, "/versions").await.expect(200).json;
    assert_eq!(counts(row(&report, "brand", 12)), [2, 1, 1, 2]);
    world.app.clock.advance_secs(1);
    let report = world.get(&Who::Operator, "/versions").await.expect(200).json;
    assert_eq!(counts(row(&report, "brand", 12)), [1, 1, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_ends_is_refused_from_its_day_on() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    load_catalog(&world, &[("number = 12\n", "number = 12\nsunset = 2026-07-02\n")]).await;
    let scopes = json!({ "scopes": ["brand.actions.list"], "api_version": 12 });
    let (token, secret) = world.token(&home, "Old", scopes).await;
    let sid = token["sid"].as_str().unwrap();
    let end = Timestamp::parse_date("2026-07-02").unwrap();
    let left = end.unix_secs() - world.app.clock.wall().unix_secs();
    world.app.clock.advance_secs(u32::try_from(left).unwrap() - 1);
    assert_eq!(call(&world, sid, &secret, None), "allowed");
    world.app.clock.advance_secs(1);
    assert_eq!(call(&world, sid, &secret, None), "api_version_retired");
    assert_eq!(call(&world, sid, &secret, Some("13")), "allowed");
    let report = world.get(&Who::Operator, "/versions").await.expect(200).json;
    assert_eq!(row(&report, "brand", 12)["state"], "retired");
    // The way out.
    let path = crate::tokens::world::path_of(&home, &token);
    world.post(&home.who, &format!("{path}/upgrade"), json!({})).await.expect(200);
    assert_eq!(call(&world, sid, &secret, None), "allowed");
}
