//! T-6: every documented operation below an account, with every id of another account. What is somebody else's is
//! answered exactly as what is not there.

use serde_json::{Value, json};

use crate::harness::{ADMINISTRATOR, Answer, Client, SPECIALIST, World, user_id};

/// Ids that are in a path, by the name of the parameter.
type Ids = [(&'static str, String); 7];

const NOBODY: &str = "01jt3x9k7dfq4v8m2n6p0r5s1w";
const MANAGING: [&str; 7] = [
    "brand.tokens.view",
    "brand.tokens.create",
    "brand.tokens.edit",
    "brand.tokens.disable",
    "brand.tokens.enable",
    "brand.tokens.reset",
    "brand.tokens.delete",
];

fn nobodys() -> Ids {
    [
        ("account_id", format!("acc_{NOBODY}")),
        ("token_id", format!("tok_{NOBODY}")),
        ("user_id", format!("usr_{NOBODY}")),
        ("invitation_id", format!("inv_{NOBODY}")),
        ("webhook_id", format!("whk_{NOBODY}")),
        ("delivery_id", format!("dlv_{NOBODY}")),
        ("half", "read-write".to_owned()),
    ]
}

/// An account with one of everything, and its administrator.
async fn furnished(world: &World, name: &str) -> (Ids, Client) {
    let account = world.account(name).await;
    let administrator = world.member(&account, &format!("ada@{name}.example"), ADMINISTRATOR).await;
    let colleague = world.member(&account, &format!("ben@{name}.example"), SPECIALIST).await;
    let path = format!("/api/v1/accounts/{account}");
    world.token(&account, &administrator, "Theirs", &[]).await;
    let token = administrator.get(&format!("{path}/tokens")).await.expect(200).json();
    let invitation = json!({ "email": format!("new@{name}.example"), "role": SPECIALIST });
    let invitation = administrator.post(&format!("{path}/invitations"), invitation).await.expect(201).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let webhook = json!({ "url": "https://hooks.example.com/" });
    let webhook = administrator.post(&format!("{path}/webhooks"), webhook).await.expect(201).json();
    let webhook = text(&webhook["webhook"]["id"]);
    administrator.request("POST", &format!("{path}/webhooks/{webhook}/test")).send().await.expect(202);
    let told = administrator.get(&format!("{path}/webhooks/{webhook}/deliveries")).await.expect(200).json();
    let ids = [
        ("account_id", account),
        ("token_id", text(&token["items"][0]["id"])),
        ("user_id", user_id(&colleague).await),
        ("invitation_id", text(&invitation["invitation"]["id"])),
        ("webhook_id", webhook),
        ("delivery_id", text(&told["items"][0]["id"])),
        ("half", "read-write".to_owned()),
    ];
    (ids, administrator)
}

/// The path with these ids. `None` where it names none of them, or needs another.
fn filled(path: &str, account: &Ids, below: &Ids) -> Option<String> {
    let mut filled = path.replace("{account_id}", &account[0].1);
    for (name, id) in &below[1..] {
        filled = filled.replace(&format!("{{{name}}}"), id);
    }
    (path.contains("{account_id}") && !filled.contains('{')).then_some(filled)
}

fn told(answer: &Answer) -> (u16, String, Vec<String>) {
    let mut body = answer.json();
    let removed = body.as_object_mut().map(|body| body.remove("request_id"));
    let names = answer.headers.keys().map(ToString::to_string).collect();
    assert!(removed.is_some(), "a refusal has a body");
    (answer.status.as_u16(), body.to_string(), names)
}

async fn ask(client: &Client, method: &str, path: &str) -> Answer {
    let request = client.request(method, path).header("if-match", "\"1\"");
    match method {
        "POST" | "PATCH" | "PUT" => request.json(&json!({})).send().await,
        _ => request.send().await,
    }
}

#[tokio::test]
async fn what_is_another_accounts_is_answered_like_what_is_not_there() {
    let world = World::new().await;
    let (mine, me) = furnished(&world, "mine").await;
    let (theirs, them) = furnished(&world, "theirs").await;
    let nobodys = nobodys();
    let managing = world.bearer(&world.token(&mine[0].1, &me, "Managing", &MANAGING).await);
    let document = serde_json::to_value(countersign_server::http::document()).unwrap();
    let (mut asked, mut operations) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if !path.contains("{account_id}") {
                continue;
            }
            operations += 1;
            for client in [&me, &managing] {
                // Their account with their ids, and my account with their ids; beside each what is nobody's.
                let foreign = filled(path, &theirs, &theirs).expect("an id this test does not know");
                let absent = filled(path, &nobodys, &nobodys).unwrap();
                let (foreign, absent) =
                    (ask(client, &method, &foreign).await, ask(client, &method, &absent).await);
                assert_eq!(foreign.status, 404, "{method} {path}: {}", foreign.text());
                assert_eq!(told(&foreign), told(&absent), "{method} {path}");
                asked += 2;
                if path.matches('{').count() == 1 || path.contains("{half}") {
                    continue;
                }
                let foreign = filled(path, &mine, &theirs).unwrap();
                let absent = filled(path, &mine, &nobodys).unwrap();
                let (foreign, absent) =
                    (ask(client, &method, &foreign).await, ask(client, &method, &absent).await);
                assert!(foreign.status.is_client_error(), "{method} {path}: {}", foreign.text());
                assert_eq!(told(&foreign), told(&absent), "{method} {path}, in an account of one's own");
                asked += 2;
            }
        }
    }
    // Nothing of theirs was touched.
    let token = format!("/api/v1/accounts/{}/tokens/{}", theirs[0].1, theirs[1].1);
    assert_eq!(them.get(&token).await.expect(200).json()["edit"], 1);
    let members = them.get(&format!("/api/v1/accounts/{}/members", theirs[0].1)).await.expect(200).json();
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    println!("T-6: {operations} operations, {asked} requests, none told another account's from nobody's");
    assert!(operations > 25);
}
