//! T-5: for random policies, no sequence of API calls by a token ends with a token whose rights exceed its own, nor with
//! the secret of one in its hands. What exceeds what is decided here by a naive model: sets of words, probes of
//! addresses, and time and rates as fractions.

use std::collections::BTreeMap;

use ::http::Method;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::{Value, json};

use super::world::{HOME, Home, Reply, Who, World, path_of};

const PLAIN: [&str; 4] =
    ["brand.actions.list", "brand.actions.update", "brand.actions.delete", "brand.tasks.get"];
const MANAGING: [&str; 7] = [
    "brand.tokens.view",
    "brand.tokens.create",
    "brand.tokens.edit",
    "brand.tokens.disable",
    "brand.tokens.enable",
    "brand.tokens.reset",
    "brand.tokens.delete",
];
/// Lists that let the caller itself in come first.
const LISTS: [&[&str]; 6] = [
    &[],
    &["10.0.0.0/8"],
    &["10.1.0.0/16", "203.0.113.0/24"],
    &["10.1.2.3"],
    &["0.0.0.0/0"],
    &["203.0.113.7"],
];
const PROBES: [&str; 6] = [HOME, "10.1.9.9", "10.200.0.1", "203.0.113.7", "203.0.113.200", "8.8.8.8"];
const EXPIRIES: [Option<&str>; 4] =
    [None, Some("2026-07-02T00:00:00Z"), Some("2026-07-09T00:00:00Z"), Some("2027-01-01T00:00:00Z")];
const RATES: [Option<(u32, u32)>; 5] =
    [None, Some((1_000, 60)), Some((1_000, 3_600)), Some((500, 1)), Some((2_000, 7_200))];
const WORKERS: u64 = 8;
const STEPS: usize = 8;

struct Dice(ChaCha20Rng);

impl Dice {
    fn under(&mut self, limit: usize) -> usize {
        self.0.next_u32() as usize % limit
    }

    fn one<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.under(from.len())]
    }

    fn some<T: Copy>(&mut self, from: &[T]) -> Vec<T> {
        from.iter().copied().filter(|_| self.under(2) == 0).collect()
    }

    /// Random rights: half of them drawn from the pools, and half of them somewhere below those of a maker, so that
    /// much of what is asked is also done.
    fn rights_near(&mut self, maker: &Value) -> Value {
        if self.under(2) == 0 {
            return self.rights(20);
        }
        let mut rights = json!({});
        for field in ["addresses", "expires_at", "rate_limit"] {
            rights[field] = maker[field].clone();
        }
        let scopes: Vec<_> = PLAIN.into_iter().filter(|_| self.under(2) == 0).collect();
        let held = maker["scopes"].as_array().unwrap();
        rights["scopes"] =
            json!(scopes.into_iter().filter(|scope| held.contains(&json!(scope))).collect::<Vec<_>>());
        let any = self.rights(0);
        let field = self.one(&["addresses", "expires_at", "rate_limit", "none"]);
        if field != "none" {
            rights[field] = any[field].clone();
        }
        rights
    }

    /// Random rights. Now and then with management scopes, which a token must never be able to give.
    fn rights(&mut self, managing: usize) -> Value {
        let mut scopes = self.some(&PLAIN);
        if self.under(100) < managing {
            scopes.extend(self.some(&MANAGING));
        }
        json!({
            "scopes": scopes,
            "addresses": self.one(&LISTS),
            "expires_at": self.one(&EXPIRIES),
            "rate_limit": self.one(&RATES).map(|(requests, window)| json!({ "requests": requests, "window_secs": window })),
        })
    }
}

/// Whether the rights of a token, as an answer tells them, are within those of another.
fn is_within(token: &Value, other: &Value) -> bool {
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let mine = words(&token["scopes"]);
    let theirs = words(&other["scopes"]);
    let lets_in = |token: &Value, probe: &str| {
        let networks = words(&token["addresses"]);
        let probe: std::net::IpAddr = probe.parse().unwrap();
        networks.is_empty()
            || networks.iter().any(|network| network.parse::<ipnet::IpNet>().unwrap().contains(&probe))
    };
    let ends = |token: &Value| token["expires_at"].as_str().unwrap_or("9999").to_owned();
    let rate = |token: &Value| match token["rate_limit"].as_object() {
        Some(rate) => {
            let (requests, window) =
                (rate["requests"].as_f64().unwrap(), rate["window_secs"].as_f64().unwrap());
            (requests, requests / window)
        }
        None => (f64::INFINITY, f64::INFINITY),
    };
    mine.iter().all(|scope| theirs.contains(scope))
        && PROBES.iter().all(|probe| !lets_in(token, probe) || lets_in(other, probe))
        && ends(token) <= ends(other)
        && rate(token).0 <= rate(other).0
        && rate(token).1 <= rate(other).1 + 1e-9
}

fn manages(token: &Value) -> bool {
    token["scopes"].as_array().unwrap().iter().any(|scope| MANAGING.contains(&scope.as_str().unwrap()))
}

async fn all(world: &World, home: &Home) -> BTreeMap<String, Value> {
    let list =
        world.get(&home.who, &format!("/accounts/{}/tokens?limit=200", home.account)).await.expect(200);
    let mut found = BTreeMap::new();
    for item in list.json["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let token = world.get(&home.who, &path_of(home, item)).await.expect(200).json;
        found.insert(id.to_owned(), token);
    }
    found
}

/// One random call of the maker.
async fn call(
    world: &World,
    home: &Home,
    dice: &mut Dice,
    (maker, who): (&Value, &Who),
    targets: &[Value],
) -> (Option<Value>, Reply) {
    let list = format!("/accounts/{}/tokens", home.account);
    let name = format!("T {}", dice.0.next_u64());
    if dice.under(3) == 0 {
        let mut body = dice.rights_near(maker);
        body["name"] = json!(name);
        body["primary_contact"] = json!(home.admin);
        return (None, world.post(who, &list, body).await);
    }
    let target = &targets[dice.under(targets.len())];
    let path = path_of(home, target);
    let body = match dice.under(8) {
        0 | 1 => {
            let edit = world.get(&home.who, &path).await.json["edit"].as_u64().unwrap_or(0);
            let rights = dice.rights_near(maker);
            let mut body = json!({});
            for (field, value) in rights.as_object().unwrap() {
                if dice.under(2) == 0 {
                    body[field] = value.clone();
                }
            }
            return (Some(target.clone()), world.patch(who, &path, edit, body).await);
        }
        2 => ("duplicate", json!({ "name": name })),
        3 => ("reset", json!({ "confirm": true, "overlap": dice.one(&["none", "7d"]) })),
        4 => ("enable", json!({ "reset": dice.under(2) == 0 })),
        5 => ("disable", json!({ "include_made_by_it": dice.under(2) == 0 })),
        6 => ("upgrade", json!({})),
        _ => {
            let edit = world.get(&home.who, &path).await.json["edit"].as_u64().unwrap_or(0);
            let query = target["name"].as_str().unwrap().replace(' ', "%20");
            let headers = [("if-match", format!("\"{edit}\""))];
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let path = format!("{path}?confirm_name={query}");
            return (Some(target.clone()), world.call(who, Method::DELETE, &path, &headers, None).await);
        }
    };
    (Some(target.clone()), world.post(who, &format!("{path}/{}", body.0), body.1).await)
}

/// One sequence; answers how many of its calls were done.
async fn sequence(world: &World, home: &Home, dice: &mut Dice) -> usize {
    let mut policy = dice.rights(0);
    let mut scopes = dice.some(&PLAIN);
    scopes.extend(MANAGING.into_iter().filter(|_| dice.under(4) > 0));
    policy["scopes"] = json!(scopes);
    policy["addresses"] = json!(LISTS[dice.under(5)]);
    let (maker, secret) = world.token(home, &format!("Maker {}", dice.0.next_u64()), policy).await;
    let who = Who::Bearer(secret);
    for _ in 0..3 {
        let rights = dice.rights_near(&maker);
        world.token(home, &format!("By {}", dice.0.next_u64()), rights).await;
    }
    let before = all(world, home).await;
    let mut targets: Vec<Value> = before.values().cloned().collect();
    let mut done = 0;
    for _ in 0..STEPS {
        let (target, reply) = call(world, home, dice, (&maker, &who), &targets).await;
        assert!(!reply.status.is_server_error(), "{}", reply.text);
        if !reply.status.is_success() {
            continue;
        }
        done += 1;
        let token = &reply.json["token"];
        if reply.json["secret"].is_string() {
            assert!(is_within(token, &maker) && !manages(token), "a secret of {token} was shown to {maker}");
        }
        if token.is_object() && target.is_none_or(|target| target["id"] != token["id"]) {
            targets.push(token.clone());
        }
    }
    let after = all(world, home).await;
    for (id, token) in &after {
        let old = before.get(id);
        let rights = |token: &Value| {
            ["scopes", "addresses", "expires_at", "rate_limit"].map(|field| token[field].clone())
        };
        match old {
            None => assert!(is_within(token, &maker) && !manages(token), "{maker} made {token}"),
            Some(old) if rights(old) != rights(token) => {
                assert!(is_within(token, &maker) && !manages(token), "{maker} made {token} of {old}");
                assert!(is_within(old, &maker) && !manages(old), "{maker} changed {old}");
            }
            Some(old) => assert!(
                old["secret"]["generation"] == token["secret"]["generation"]
                    || (is_within(old, &maker) && !manages(old)),
                "{maker} reset {old}"
            ),
        }
    }
    for (id, old) in &before {
        assert!(after.contains_key(id) || (is_within(old, &maker) && !manages(old)), "{maker} deleted {old}");
    }
    for token in after.values() {
        let path = format!(
            "{}?confirm_name={}",
            path_of(home, token),
            token["name"].as_str().unwrap().replace(' ', "%20")
        );
        let edit = format!("\"{}\"", token["edit"]);
        let reply = world.call(&home.who, Method::DELETE, &path, &[("if-match", &edit)], None).await;
        assert!(matches!(reply.status.as_u16(), 200 | 404), "{}", reply.text);
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sequence_of_calls_ends_with_a_stronger_token() {
    let full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
    let secs: u64 =
        std::env::var("COUNTERSIGN_TEST_SECONDS").ok().and_then(|secs| secs.parse().ok()).unwrap_or(2);
    let world = World::new().await;
    // The test's own time, not the installation's, which stands still.
    let began = tokio::time::Instant::now();
    let workers = (0..WORKERS).map(|worker| {
        let world = &world;
        async move {
            let home = world.home("brand", &format!("acme{worker}")).await;
            let mut dice = Dice(ChaCha20Rng::seed_from_u64(worker));
            let (mut sequences, mut done) = (0_u64, 0_usize);
            while if full { sequences < 100_000 / WORKERS } else { began.elapsed().as_secs() < secs } {
                done += sequence(world, &home, &mut dice).await;
                sequences += 1;
            }
            (sequences, done)
        }
    });
    let totals = futures_util::future::join_all(workers).await;
    let sequences: u64 = totals.iter().map(|(sequences, _)| sequences).sum();
    let done: usize = totals.iter().map(|(_, done)| done).sum();
    println!("T-5: {sequences} sequences of {STEPS} calls, {done} calls done, no token exceeded its maker");
    assert!(done as u64 >= sequences && sequences > 0, "too little was done to prove anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_exceed_is_refused_with_its_field() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let mut scopes = MANAGING.to_vec();
    scopes.extend(["brand.actions.list", "brand.actions.update"]);
    let limits = json!({
        "scopes": scopes, "addresses": ["10.0.0.0/8"], "expires_at": "2026-08-01T00:00:00Z",
        "rate_limit": { "requests": 10_000, "window_secs": 60 },
    });
    let (maker, secret) = world.token(&home, "Maker", limits).await;
    let who = Who::Bearer(secret);
    let list = format!("/accounts/{}/tokens", home.account);
    let fits = |name: &str| {
        json!({
            "name": name, "primary_contact": home.admin, "scopes": ["brand.actions.list"], "addresses": ["10.1.0.0/16"],
            "expires_at": "2026-07-31T00:00:00Z", "rate_limit": { "requests": 100, "window_secs": 60 },
        })
    };
    let child = world.post(&who, &list, fits("Fits")).await.expect(201).json["token"].clone();
    for (field, value) in [
        ("scopes", json!(["brand.actions.delete"])),
        ("scopes", json!(["brand.tokens.view"])),
        ("expires_at", Value::Null),
        ("expires_at", json!("2026-08-01T00:00:01Z")),
        ("addresses", json!([])),
        ("addresses", json!(["10.1.0.0/16", "192.0.2.1"])),
        ("rate_limit", Value::Null),
        ("rate_limit", json!({ "requests": 10_001, "window_secs": 3600 })),
        ("rate_limit", json!({ "requests": 10_000, "window_secs": 59 })),
    ] {
        let mut body = fits("Exceeds");
        body[field] = value.clone();
        let refused = world.post(&who, &list, body).await.expect_code(403, "beyond_own_rights");
        assert_eq!(refused.json["field"], field, "{value}");
        let path = path_of(&home, &child);
        world
            .patch(&who, &path, 1, json!({ field: value.clone() }))
            .await
            .expect_code(403, "beyond_own_rights");
        let mut strong = fits(&format!("Strong {field} {value}"));
        strong[field] = value.clone();
        let strong = world.post(&home.who, &list, strong).await.expect(201).json["token"].clone();
        let path = path_of(&home, &strong);
        for (verb, body) in [
            ("reset", json!({ "confirm": true })),
            ("duplicate", json!({})),
            ("enable", json!({})),
            ("enable", json!({ "reset": true })),
            ("upgrade", json!({})),
        ] {
            world.post(&who, &format!("{path}/{verb}"), body).await.expect_code(403, "beyond_own_rights");
        }
        world.patch(&who, &path, 1, fits("Narrower")).await.expect_code(403, "beyond_own_rights");
        world.post(&who, &format!("{path}/disable"), json!({})).await.expect(200);
    }
    world
        .patch(&who, &path_of(&home, &maker), 1, json!({ "expires_at": null }))
        .await
        .expect_code(403, "beyond_own_rights");
    for path in ["", "/upgrade", "/duplicate", "/disable", "/enable"] {
        let path = format!("/accounts/{}/legacy-tokens{path}", home.account);
        world.post(&who, &path, json!({})).await.expect_code(403, "not_for_tokens");
    }
    world.post(&who, &format!("{}/disable", path_of(&home, &maker)), json!({})).await.expect(200);
    world.post(&who, &list, fits("Late")).await.expect_code(403, "token_disabled");
}
