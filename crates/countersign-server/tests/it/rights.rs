//! Every operation of the OpenAPI document against every kind of caller. An operation that is not in the table fails the
//! test, and so does a row without an operation: whoever adds an operation says here who may use it.

use std::collections::BTreeSet;

use countersign_server::http::document;
use countersign_store::Outcome;

use crate::harness::{ADMINISTRATOR, ANALYST, Client, PASSWORD, SPECIALIST, World, newest_entry};

/// The kinds of caller, in the order of the columns.
const CALLERS: [&str; 10] = [
    "anonymous",
    "analyst",
    "specialist",
    "administrator",
    "foreign administrator",
    "operator",
    "managing token",
    "plain token",
    "platform",
    "cli",
];

/// One letter for each kind of caller: `a` allowed, `u` 401, `f` 403, `n` 404. Operators are not members of the account.
const OPEN: &str = "aaaaaaaaaa";
const OWN_PAGES: &str = "aaaaaafffa";
const PEOPLE: &str = "uaaaaaffff";
const ANYBODY: &str = "uaaaaaaaaa";
const OPERATORS: &str = "uffffaffaa";
const VIEW_ACCOUNT: &str = "uaaanaafaa";
const MANAGE_ACCOUNT: &str = "uffanaffaa";
const ENABLE_ACCESS: &str = "ufaanaffaa";
const VIEW_MEMBERS: &str = "ufaanaffaa";
const MANAGE_MEMBERS: &str = "uffanaffaa";
const VIEW_AUDIT: &str = "ufaanaffaa";
const TOKENS: &str = "ufaanaafaa";
const TOKENS_BY_PEOPLE: &str = "ufaanaffaa";
const REVEAL: &str = "ufaanfffff";

pub const TABLE: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/bootstrap", OPEN),
    ("POST", "/api/v1/bootstrap", OWN_PAGES),
    ("POST", "/api/v1/session", OWN_PAGES),
    ("GET", "/api/v1/session", PEOPLE),
    ("DELETE", "/api/v1/session", PEOPLE),
    ("POST", "/api/v1/session/password", PEOPLE),
    ("GET", "/api/v1/sessions", PEOPLE),
    ("DELETE", "/api/v1/sessions", PEOPLE),
    ("DELETE", "/api/v1/sessions/{session_id}", PEOPLE),
    ("GET", "/api/v1/profile", PEOPLE),
    ("PATCH", "/api/v1/profile", PEOPLE),
    ("PUT", "/api/v1/profile/password", PEOPLE),
    ("POST", "/api/v1/invitations/accept", OWN_PAGES),
    ("POST", "/api/v1/addresses/confirm", OWN_PAGES),
    ("POST", "/api/v1/addresses/unsubscribe", OWN_PAGES),
    ("POST", "/api/v1/addresses/resubscribe", OWN_PAGES),
    ("GET", "/api/v1/accounts", "uaaaaaafaa"),
    ("POST", "/api/v1/accounts", OPERATORS),
    ("GET", "/api/v1/accounts/{account_id}", VIEW_ACCOUNT),
    ("PATCH", "/api/v1/accounts/{account_id}", MANAGE_ACCOUNT),
    ("POST", "/api/v1/accounts/{account_id}/api-access", ENABLE_ACCESS),
    ("GET", "/api/v1/accounts/{account_id}/members", VIEW_MEMBERS),
    ("PATCH", "/api/v1/accounts/{account_id}/members/{user_id}", MANAGE_MEMBERS),
    ("DELETE", "/api/v1/accounts/{account_id}/members/{user_id}", MANAGE_MEMBERS),
    ("GET", "/api/v1/accounts/{account_id}/invitations", MANAGE_MEMBERS),
    ("POST", "/api/v1/accounts/{account_id}/invitations", MANAGE_MEMBERS),
    ("DELETE", "/api/v1/accounts/{account_id}/invitations/{invitation_id}", MANAGE_MEMBERS),
    ("GET", "/api/v1/accounts/{account_id}/addresses", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/addresses/ask", TOKENS),
    ("GET", "/api/v1/accounts/{account_id}/webhooks", MANAGE_ACCOUNT),
    ("POST", "/api/v1/accounts/{account_id}/webhooks", MANAGE_ACCOUNT),
    ("GET", "/api/v1/accounts/{account_id}/webhooks/{webhook_id}", MANAGE_ACCOUNT),
    ("PATCH", "/api/v1/accounts/{account_id}/webhooks/{webhook_id}", MANAGE_ACCOUNT),
    ("DELETE", "/api/v1/accounts/{account_id}/webhooks/{webhook_id}", MANAGE_ACCOUNT),
    ("POST", "/api/v1/accounts/{account_id}/webhooks/{webhook_id}/rotate", MANAGE_ACCOUNT),
    ("POST", "/api/v1/accounts/{account_id}/webhooks/{webhook_id}/test", MANAGE_ACCOUNT),
    ("GET", "/api/v1/accounts/{account_id}/webhooks/{webhook_id}/deliveries", MANAGE_ACCOUNT),
    ("GET", "/api/v1/accounts/{account_id}/audit", VIEW_AUDIT),
    ("GET", "/api/v1/accounts/{account_id}/deliveries", VIEW_AUDIT),
    ("GET", "/api/v1/accounts/{account_id}/deliveries/{delivery_id}", VIEW_AUDIT),
    ("POST", "/api/v1/accounts/{account_id}/deliveries/{delivery_id}/retry", TOKENS_BY_PEOPLE),
    ("GET", "/api/v1/accounts/{account_id}/tokens", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens", TOKENS),
    ("GET", "/api/v1/accounts/{account_id}/tokens/{token_id}", TOKENS),
    ("PATCH", "/api/v1/accounts/{account_id}/tokens/{token_id}", TOKENS),
    ("DELETE", "/api/v1/accounts/{account_id}/tokens/{token_id}", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/duplicate", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/upgrade", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/reset", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/overlap/end", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/reveal", REVEAL),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/disable", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/tokens/{token_id}/enable", TOKENS),
    ("GET", "/api/v1/accounts/{account_id}/legacy-tokens", TOKENS),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens", TOKENS_BY_PEOPLE),
    ("DELETE", "/api/v1/accounts/{account_id}/legacy-tokens", TOKENS_BY_PEOPLE),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens/upgrade", TOKENS_BY_PEOPLE),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens/duplicate", TOKENS_BY_PEOPLE),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens/disable", TOKENS_BY_PEOPLE),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens/enable", TOKENS_BY_PEOPLE),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens/{half}/reset", TOKENS_BY_PEOPLE),
    ("POST", "/api/v1/accounts/{account_id}/legacy-tokens/{half}/reveal", REVEAL),
    ("GET", "/api/v1/tokens/{sid}", OPERATORS),
    ("GET", "/api/v1/people", OPERATORS),
    ("POST", "/api/v1/people", OPERATORS),
    ("GET", "/api/v1/people/{user_id}", OPERATORS),
    ("PATCH", "/api/v1/people/{user_id}", OPERATORS),
    ("POST", "/api/v1/people/{user_id}/password-reset", OPERATORS),
    ("GET", "/api/v1/versions", OPERATORS),
    ("GET", "/api/v1/versions/{kind}/{number}/tokens", OPERATORS),
    ("GET", "/api/v1/catalog", ANYBODY),
    ("PUT", "/api/v1/catalog", OPERATORS),
    ("GET", "/api/v1/catalog/source", OPERATORS),
    ("POST", "/api/v1/catalog/check", OPERATORS),
    ("GET", "/api/v1/gateways", OPERATORS),
    ("POST", "/api/v1/gateways", OPERATORS),
    ("GET", "/api/v1/gateways/{name}", OPERATORS),
    ("PATCH", "/api/v1/gateways/{name}", OPERATORS),
    ("DELETE", "/api/v1/gateways/{name}", OPERATORS),
    ("POST", "/api/v1/gateways/{name}/reset", OPERATORS),
    ("GET", "/api/v1/gateways/{name}/probe", OPERATORS),
    ("PUT", "/api/v1/gateways/{name}/probe", OPERATORS),
    ("GET", "/api/v1/platform-credentials", OPERATORS),
    ("POST", "/api/v1/platform-credentials", OPERATORS),
    ("DELETE", "/api/v1/platform-credentials/{platform_credential_id}", OPERATORS),
    ("GET", "/api/v1/webhooks", OPERATORS),
    ("POST", "/api/v1/webhooks", OPERATORS),
    ("GET", "/api/v1/webhooks/{webhook_id}", OPERATORS),
    ("PATCH", "/api/v1/webhooks/{webhook_id}", OPERATORS),
    ("DELETE", "/api/v1/webhooks/{webhook_id}", OPERATORS),
    ("POST", "/api/v1/webhooks/{webhook_id}/rotate", OPERATORS),
    ("POST", "/api/v1/webhooks/{webhook_id}/test", OPERATORS),
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries", OPERATORS),
    ("GET", "/api/v1/announcements", OPERATORS),
    ("POST", "/api/v1/announcements", OPERATORS),
    ("GET", "/api/v1/announcements/{announcement_id}", OPERATORS),
    ("PATCH", "/api/v1/announcements/{announcement_id}", OPERATORS),
    ("DELETE", "/api/v1/announcements/{announcement_id}", OPERATORS),
    ("GET", "/api/v1/announcements/{announcement_id}/audience", OPERATORS),
    ("POST", "/api/v1/announcements/{announcement_id}/send", OPERATORS),
    ("GET", "/api/v1/announcements/{announcement_id}/deliveries", OPERATORS),
    ("GET", "/api/v1/keys", OPERATORS),
    ("POST", "/api/v1/keys/rotations", OPERATORS),
    ("POST", "/api/v1/import", OPERATORS),
    ("GET", "/api/v1/deliveries", OPERATORS),
    ("GET", "/api/v1/deliveries/{delivery_id}", OPERATORS),
    ("POST", "/api/v1/deliveries/{delivery_id}/retry", OPERATORS),
    ("GET", "/api/v1/outbox", OPERATORS),
    ("GET", "/api/v1/audit", OPERATORS),
    ("POST", "/api/v1/audit/verify", OPERATORS),
    ("GET", "/api/v1/audit/export", OPERATORS),
    ("GET", "/api/v1/audit/checkpoints", OPERATORS),
    ("POST", "/api/v1/audit/checkpoints/check", OPERATORS),
    ("POST", "/api/v1/backup", OPERATORS),
];

/// These do not ask who somebody is, only from which page they come.
const DOORS_FOR_STRANGERS: [(&str, &str); 6] = [
    ("POST", "/api/v1/bootstrap"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/invitations/accept"),
    ("POST", "/api/v1/addresses/confirm"),
    ("POST", "/api/v1/addresses/unsubscribe"),
    ("POST", "/api/v1/addresses/resubscribe"),
];

/// Every right a managing token can hold.
const MANAGEMENT: [&str; 7] = [
    "brand.tokens.view",
    "brand.tokens.create",
    "brand.tokens.edit",
    "brand.tokens.disable",
    "brand.tokens.enable",
    "brand.tokens.reset",
    "brand.tokens.delete",
];

fn documented() -> BTreeSet<(String, String)> {
    let document = serde_json::to_value(document()).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        operations
            .extend(item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    operations
}

#[test]
fn the_table_has_every_operation_once_and_no_other() {
    let rows: Vec<(String, String)> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    let table: BTreeSet<_> = rows.iter().cloned().collect();
    assert_eq!(table.len(), rows.len(), "an operation stands twice");
    assert_eq!(table, documented());
}

/// The address with ids that nobody has, except the account's.
fn filled(path: &str, account: &str) -> String {
    path.replace("{account_id}", account)
        .replace("{half}", "read-write")
        .replace("{name}", "nobody")
        .replace("{kind}/{number}", "brand/14")
        .replace("{sid}", "BR00000000000000000000000000")
        .replace("{session_id}", "ses_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{user_id}", "usr_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{token_id}", "tok_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{invitation_id}", "inv_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{announcement_id}", "ann_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{delivery_id}", "dlv_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{webhook_id}", "whk_01jt3x9k7dfq4v8m2n6p0r5s1w")
        .replace("{platform_credential_id}", "plc_01jt3x9k7dfq4v8m2n6p0r5s1w")
}

async fn person(world: &World, email: &str) -> Client {
    world.signed_in(&world.sign_in(email, PASSWORD).await.expect(201))
}

#[tokio::test]
async fn every_operation_for_every_caller() {
    let world = World::new().await;
    let (account, other) = (world.account("one").await, world.account("two").await);
    let administrator = world.member(&account, "administrator@example.com", ADMINISTRATOR).await;
    world.member(&account, "specialist@example.com", SPECIALIST).await;
    world.member(&account, "analyst@example.com", ANALYST).await;
    world.member(&other, "foreign@example.com", ADMINISTRATOR).await;
    let manager = world.bearer(&world.token(&account, &administrator, "Manager", &MANAGEMENT).await);
    let plain = world.bearer(&world.token(&account, &administrator, "Plain", &["brand.actions.list"]).await);
    let platform = world.platform("machine").await;
    for (method, path, expected) in TABLE {
        for (caller, expected) in CALLERS.iter().zip(expected.chars()) {
            // People sign in anew each time, because some of these operations end sessions.
            let client = match *caller {
                "anonymous" => world.browser(),
                "analyst" => person(&world, "analyst@example.com").await,
                "specialist" => person(&world, "specialist@example.com").await,
                "administrator" => person(&world, "administrator@example.com").await,
                "foreign administrator" => person(&world, "foreign@example.com").await,
                "operator" => person(&world, "operator@example.com").await,
                "managing token" => manager.clone(),
                "plain token" => plain.clone(),
                "platform" => platform.clone(),
                _ => world.cli(),
            };
            let before = newest_entry(&world).await.number;
            let answer = client.request(method, &filled(path, &account)).send().await;
            let status = answer.status.as_u16();
            let below_account =
                path.replacen("{account_id}", "", 1).contains('{') || path.contains("legacy-tokens");
            let fits = match expected {
                'u' => status == 401,
                'f' => status == 403,
                'n' => status == 404,
                _ => !matches!(status, 401 | 403) && status < 500 && (status != 404 || below_account),
            };
            assert!(fits, "{method} {path} by {caller}: {status}, expected {expected}: {}", answer.text());
            // Whoever is known and denied leaves an entry; the doors for strangers ask nobody who they are.
            if matches!(expected, 'f' | 'n') && !DOORS_FOR_STRANGERS.contains(&(method, path)) {
                let entry = newest_entry(&world).await;
                let told = (entry.number, entry.action.as_str(), entry.outcome, entry.subject_label.as_str());
                let due = (before + 1, "access.refused", Outcome::Refused, *path);
                assert_eq!(told, due, "{method} {path} by {caller}");
            }
        }
    }
}
