//! What one assertion costs to make and to check, printed for the book. The bound is far away: it only says that making
//! one is not a hundred times slower than its signature.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_assertion::{Checker, Claims, Presented, TYPE, path_hash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

const ROUNDS: u32 = 500;
const TARGET: &[u8] = b"/Advertisers/BR2XKQ7M1N8P4R6T9V0W3Y5Z7ABC/Actions?Page=2";

/// The fastest of five, per round.
fn fastest(mut work: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let begin = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        begin.elapsed() / ROUNDS
    });
    times.min().unwrap()
}

#[test]
fn an_assertion_costs_little_more_than_its_signature() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
    let header =
        Header { typ: Some(TYPE.to_owned()), kid: Some("k".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let make = || {
        let claims = Claims {
            iss: "https://tokens.example.com".into(),
            aud: "orders".into(),
            sub: "BR2XKQ7M1N8P4R6T9V0W3Y5Z7ABC".into(),
            account: "acc_01jt3x9k7dfq4v8m2n6p0r5s1w".into(),
            kind: "brand".into(),
            scope: "brand.actions.list".into(),
            version: 14,
            method: "GET".into(),
            host: "api.example.com".into(),
            path_sha256: path_hash(TARGET).into(),
            iat: 1_795_305_600,
            exp: 1_795_305_630,
            jti: "req_01jt3x9k7dfq4v8m2n6p0r5s1w".into(),
        };
        encode(&header, &claims, &key).unwrap()
    };
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x }] });
    let checker = Checker::new("https://tokens.example.com", "orders", set.to_string().as_bytes()).unwrap();
    let assertion = make();
    let request = Presented { method: "GET", target: TARGET, host: Some("api.example.com") };
    let signing = fastest(|| _ = pair.sign(assertion.as_bytes()));
    let making = fastest(|| drop(make()));
    let checking = fastest(|| drop(checker.check(&assertion, &request, 1_795_305_600).unwrap()));
    println!(
        "an assertion of {} bytes: signature alone {signing:?}, made {making:?}, checked {checking:?}",
        assertion.len()
    );
    assert!(making < signing * 100, "making {making:?}, of which the signature takes {signing:?}");
}
