//! Signed assertions of the real program, believed by our own checker and by the JWT libraries of Node, Python and Go, and
//! what none of them believes.

use std::{
    collections::HashMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use countersign_assertion::{Checker, Presented, Refusal};
use serde_json::{Value, json};

use crate::{
    forgeries::Forge,
    scene::{AUDIENCE, GATEWAY, ISSUER, Scene, Token},
};

const ASSERTION: &str = "x-countersign-assertion";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed()
}

async fn begin() -> (Scene, Token, String) {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list"], &json!({})).await;
    let target = format!("/Advertisers/{}/Actions?Page=2", token.sid);
    (scene, token, target)
}

async fn key_set(scene: &Scene) -> Vec<u8> {
    let reply = scene.ask("GET /.well-known/jwks.json", &[], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/jwk-set+json");
    assert_eq!(reply.header("cache-control"), "public, max-age=300");
    reply.body.to_vec()
}

/// What a door says of a GET of this target, and its assertion.
async fn of_verify(scene: &Scene, token: &Token, target: &str) -> String {
    let ask =
        json!({ "authorization": token.basic(), "method": "GET", "uri": target, "host": "api.example.com" });
    scene.verify(&ask).await.json()["assertion"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allow_is_said_signed_to_one_back_end() {
    let (scene, token, target) = begin().await;
    let checker = Checker::new(ISSUER, AUDIENCE, &key_set(&scene).await).unwrap();
    let mut headers = vec![
        ("x-countersign-gateway", scene.credential.clone()),
        ("x-original-method", "GET".to_owned()),
        ("x-original-uri", target.clone()),
        ("x-original-address", "203.0.113.5".to_owned()),
        ("authorization", token.basic()),
    ];
    let ask = async |headers: &[(&str, String)]| {
        let borrowed: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        scene.ask(&format!("GET /v1/forward-auth/{GATEWAY}"), &borrowed, "").await
    };
    let reply = ask(&headers).await;
    let by_gateway = reply.header(ASSERTION).to_owned();
    let by_verify = of_verify(&scene, &token, &target).await;
    let request = Presented { method: "GET", target: target.as_bytes(), host: None };
    let mut ids = Vec::new();
    for assertion in [&by_gateway, &by_verify] {
        let claims = checker.check(assertion, &request, now()).unwrap();
        assert_eq!((claims.sub.as_ref(), claims.kind.as_ref()), (token.sid.as_str(), "brand"));
        assert_eq!((claims.scope.as_ref(), claims.version), ("brand.actions.list", 14));
        assert_eq!(claims.exp - claims.iat, 30);
        ids.push(claims.jti.into_owned());
    }
    assert_eq!(ids[0], reply.header("x-countersign-request-id"));
    assert_ne!(ids[0], ids[1]);
    let other = Presented { target: b"/Advertisers", ..request };
    assert_eq!(checker.check(&by_gateway, &other, now()), Err(Refusal::Request));
    let elsewhere = Checker::new(ISSUER, "billing", &key_set(&scene).await).unwrap();
    assert_eq!(elsewhere.check(&by_gateway, &request, now()), Err(Refusal::Audience));

    // What is refused is not asserted, and neither is a batch one thing twice.
    headers[2].1 = format!("/Advertisers/{}/Ads", token.sid);
    let refused = ask(&headers).await;
    assert_eq!((refused.status, refused.header(ASSERTION)), (403, ""));
    let one = json!({ "authorization": token.basic(), "method": "GET", "uri": target });
    let by_scope = json!({ "authorization": token.basic(), "scope": "brand.actions.list" });
    let batch = scene.verify(&json!({ "asks": [one, one, by_scope] })).await.json();
    let said: Vec<Option<&str>> =
        (0..3).map(|index| batch["verdicts"][index]["assertion"].as_str()).collect();
    let claims = |index: usize| checker.check(said[index].unwrap(), &request, now()).unwrap();
    assert_ne!(claims(0).jti, claims(1).jti);
    assert_eq!(said[2], None, "no request was named");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_off_until_an_audience_is_named_and_off_again_at_once() {
    let (scene, token, target) = begin().await;
    assert!(!of_verify(&scene, &token, &target).await.is_empty());
    let seen = scene.operator(&format!("GET /api/v1/gateways/{GATEWAY}"), &Value::Null).await;
    assert_eq!(seen["assertion_audience"], AUDIENCE);
    let patch = async |edit: u64, body: Value| {
        let line = format!("PATCH /api/v1/gateways/{GATEWAY}");
        scene.operator_reply(&line, &[("if-match", &format!("\"{edit}\""))], &body).await
    };
    assert_eq!(patch(1, json!({ "assertion_audience": "two words" })).await.status, 422);
    assert_eq!(patch(1, json!({ "assertion_audience": null })).await.status, 200);
    let ask = json!({ "authorization": token.basic(), "method": "GET", "uri": target });
    assert_eq!(scene.verify(&ask).await.json()["assertion"], Value::Null);
    assert_eq!(patch(2, json!({ "assertion_audience": "billing" })).await.status, 200);
    let checker = Checker::new(ISSUER, "billing", &key_set(&scene).await).unwrap();
    let request = Presented { method: "GET", target: target.as_bytes(), host: Some("api.example.com") };
    let assertion = of_verify(&scene, &token, &target).await;
    assert!(checker.check(&assertion, &request, now()).is_ok());
}

/// The examples of the three languages, each with a way to run it.
fn examples() -> Vec<(&'static str, Vec<String>, HashMap<&'static str, String>)> {
    let root = root();
    let installed = Command::new(root.join("scripts/install-assertion-libraries")).output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let modules = PathBuf::from(String::from_utf8(installed.stdout).unwrap().trim());
    let example = |name: &str| root.join("examples/assertions").join(name).display().to_string();
    // Node looks for a module from where the importing file is.
    let beside = modules.join("check.mjs");
    std::fs::copy(example("check.mjs"), &beside).unwrap();
    let with_node = root.join("scripts/with-node").display().to_string();
    let cache = modules.with_file_name("go-cache").display().to_string();
    let go = [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOCACHE", &cache)];
    let go = go.map(|(name, value)| (name, value.to_owned()));
    vec![
        ("node", vec![with_node, "node".to_owned(), beside.display().to_string()], HashMap::new()),
        ("python", vec!["/usr/bin/python3".to_owned(), example("check.py")], HashMap::new()),
        ("go", vec!["go".to_owned(), "run".to_owned(), example("check.go")], HashMap::from(go)),
    ]
}

/// Runs an example over requests, one a line; answers its lines.
fn run(
    (name, words, environment): &(&'static str, Vec<String>, HashMap<&'static str, String>),
    key_set: &Path,
    requests: &[Value],
) -> Vec<String> {
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .envs(environment)
        .env("ISSUER", ISSUER)
        .env("AUDIENCE", AUDIENCE)
        .env("KEY_SET", key_set)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut input = child.stdin.take().unwrap();
    for request in requests {
        writeln!(input, "{request}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name} ended with {}", output.status);
    let told: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(told.len(), requests.len(), "{name}: {told:?}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_of_three_languages_believe_it_and_no_forgery() {
    let (scene, token, target) = begin().await;
    let real_keys = scene.installation.path("real.json");
    std::fs::write(&real_keys, key_set(&scene).await).unwrap();
    let forge = Forge::new(1);
    let forged_keys = scene.installation.write("forged.json", &forge.key_set().to_string());
    let about = |assertion: &str, target: &str, host: &str| json!({ "assertion": assertion, "method": "GET", "target": target, "host": host });
    for example in examples() {
        let name = example.0;
        // Made for each, because an assertion lives for half a minute and compilers take their time.
        let mut told = Vec::new();
        for _ in 0..2 {
            let real = of_verify(&scene, &token, &target).await;
            let other =
                json!({ "assertion": real, "method": "POST", "target": target, "host": "api.example.com" });
            let requests = [
                about(&real, &target, "api.example.com"),
                other,
                about(&real, "/Advertisers", "api.example.com"),
                about(&real, &target, "other.example.com"),
            ];
            told = run(&example, &real_keys, &requests);
        }
        assert_eq!(told[0], format!("believed {}", token.sid), "{name}: {told:?}");
        assert!(told[1..].iter().all(|line| line.starts_with("refused ")), "{name}: {told:?}");

        let wrong = forge.wrong(&target);
        let mut requests = vec![about(&forge.right(&target), &target, "api.example.com")];
        requests.extend(wrong.iter().map(|(_, assertion)| about(assertion, &target, "api.example.com")));
        let told = run(&example, &forged_keys, &requests);
        assert_eq!(told[0], "believed BR1", "{name}");
        for ((what, _), line) in wrong.iter().zip(&told[1..]) {
            assert!(line.starts_with("refused "), "{name} believed {what}: {line}");
        }
        println!("{name}: believed the real one, refused {} forged ones", wrong.len() + 3);
    }
}
