//! An assertion is believed for one back end, one request and half a minute; what was forged, bent or cut is not.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_assertion::{
    Checker, Claims, KeySetError, Presented, Refusal, TYPE, limits::REMEMBER_SECS, path_hash,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

const NOW: i64 = 1_795_305_600;
const TARGET: &[u8] = b"/Advertisers/BR1/Actions?Page=2";

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn key(seed: u8) -> EncodingKey {
    EncodingKey::from_ed_der(pair(seed).to_pkcs8v1().unwrap().as_ref())
}

fn public(seed: u8) -> Vec<u8> {
    pair(seed).public_key().as_ref().to_vec()
}

fn key_set() -> Vec<u8> {
    let one = |id: &str, seed: u8| {
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": id,
            "x": URL_SAFE_NO_PAD.encode(public(seed)) })
    };
    json!({ "keys": [one("first", 1), one("next", 2)] }).to_string().into_bytes()
}

fn checker() -> Checker {
    Checker::new("https://tokens.example.com", "orders", &key_set()).unwrap()
}

fn claims() -> Claims<'static> {
    Claims {
        iss: "https://tokens.example.com".into(),
        aud: "orders".into(),
        sub: "BR1".into(),
        account: "acc_1".into(),
        kind: "brand".into(),
        scope: "brand.actions.list".into(),
        version: 14,
        method: "GET".into(),
        host: "api.example.com".into(),
        path_sha256: path_hash(TARGET).into(),
        iat: NOW,
        exp: NOW + 30,
        jti: "req_1".into(),
    }
}

fn header() -> Header {
    Header { typ: Some(TYPE.to_owned()), kid: Some("first".to_owned()), ..Header::new(Algorithm::EdDSA) }
}

fn signed(claims: &Claims<'_>) -> String {
    encode(&header(), claims, &key(1)).unwrap()
}

fn check(assertion: &str, now: i64) -> Result<Claims<'static>, Refusal> {
    let request = Presented { method: "GET", target: TARGET, host: Some("api.example.com") };
    checker().check(assertion, &request, now)
}

#[test]
fn what_the_installation_said_of_this_request_is_believed() {
    let assertion = signed(&claims());
    for now in [NOW - 5, NOW, NOW + 30, NOW + 35] {
        assert_eq!(check(&assertion, now), Ok(claims()), "{now}");
    }
    let next = Header { kid: Some("next".to_owned()), ..header() };
    assert!(check(&encode(&next, &claims(), &key(2)).unwrap(), NOW).is_ok(), "a published key signs");
}

#[test]
fn who_remembers_as_long_as_is_said_takes_no_request_twice() {
    let assertion = signed(&claims());
    let believed: Vec<i64> = (NOW - 100..NOW + 100).filter(|now| check(&assertion, *now).is_ok()).collect();
    assert_eq!(believed.last().unwrap() - believed[0], REMEMBER_SECS);
    for text in [include_str!("../src/checker.rs"), include_str!("../../../docs/book/assertions.md")] {
        assert!(text.contains(&format!("{REMEMBER_SECS} seconds")));
    }
}

#[test]
fn every_claim_binds() {
    let with = |change: fn(&mut Claims<'static>)| {
        let mut other = claims();
        change(&mut other);
        signed(&other)
    };
    for (assertion, refusal) in [
        (with(|c| c.iss = "https://elsewhere.example.com".into()), Refusal::Issuer),
        (with(|c| c.aud = "billing".into()), Refusal::Audience),
        (with(|c| c.method = "POST".into()), Refusal::Request),
        (with(|c| c.method = "get".into()), Refusal::Request),
        (with(|c| c.host = Cow::Borrowed("other.example.com")), Refusal::Request),
        (with(|c| c.path_sha256 = path_hash(b"/Advertisers/BR1/Actions").into()), Refusal::Request),
        (with(|c| c.exp = NOW + 3600), Refusal::Time),
        (with(|c| c.exp = NOW - 1), Refusal::Time),
        (with(|c| (c.iat, c.exp) = (NOW - 60, NOW - 30)), Refusal::Time),
        (with(|c| (c.iat, c.exp) = (NOW + 6, NOW + 36)), Refusal::Time),
    ] {
        assert_eq!(check(&assertion, NOW), Err(refusal), "{assertion}");
    }
    let assertion = signed(&claims());
    assert_eq!(check(&assertion, NOW + 36), Err(Refusal::Time));
    assert_eq!(check(&assertion, NOW - 6), Err(Refusal::Time));
}

#[test]
fn what_was_forged_is_not_believed() {
    let good = signed(&claims());
    let [head, body, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let written = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = written(&json!({ "alg": "none", "typ": TYPE, "kid": "first" }));
    let symmetric =
        Header { typ: Some(TYPE.to_owned()), kid: Some("first".to_owned()), ..Header::new(Algorithm::HS256) };
    let by_public_key = encode(&symmetric, &claims(), &EncodingKey::from_secret(&public(1))).unwrap();
    let with_header = |header: &Header, seed: u8| encode(header, &claims(), &key(seed)).unwrap();
    let mut other = claims();
    other.sub = "BR2".into();
    let other_body = signed(&other).split('.').nth(1).unwrap().to_owned();
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let flipped = URL_SAFE_NO_PAD.encode(flipped);
    let carried = json!({ "alg": "EdDSA", "typ": TYPE, "kid": "mine",
        "jwk": { "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(public(9)) } });
    for (name, assertion) in [
        ("alg none", format!("{unsigned}.{body}.")),
        ("alg none, signed", format!("{unsigned}.{body}.{signature}")),
        ("HS256 with the public key", by_public_key),
        ("a key of nobody", with_header(&header(), 9)),
        ("the key of another kid", with_header(&header(), 2)),
        ("an unknown kid", with_header(&Header { kid: Some("third".to_owned()), ..header() }, 1)),
        ("no kid", with_header(&Header { kid: None, ..header() }, 1)),
        ("another type", with_header(&Header { typ: Some("JWT".to_owned()), ..header() }, 1)),
        ("no type", with_header(&Header { typ: None, ..header() }, 1)),
        ("a header to be understood", with_header(&Header { crit: Some(vec!["b64".into()]), ..header() }, 1)),
        ("a key in the header", format!("{}.{body}.{signature}", written(&carried))),
        ("claims of another", format!("{head}.{other_body}.{signature}")),
        ("a bit of the signature", format!("{head}.{body}.{flipped}")),
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("padded", format!("{good}==")),
        ("too long", format!("{good}{}", "A".repeat(4_096))),
        ("a list", format!("{good}, {good}")),
        ("empty", String::new()),
    ] {
        assert!(check(&assertion, NOW).is_err(), "{name} was believed");
    }
}

#[test]
fn a_key_set_holds_our_keys_and_not_too_many() {
    let refused = |text: &str| Checker::new("https://tokens.example.com", "orders", text.as_bytes()).err();
    assert!(matches!(refused("nonsense"), Some(KeySetError::Malformed(_))));
    assert!(matches!(refused(r#"{"keys":[]}"#), Some(KeySetError::Count(0))));
    let symmetric = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"first","k":"c2VjcmV0"}]}"#;
    assert!(matches!(refused(symmetric), Some(KeySetError::Count(1))));
    let many: Vec<_> = (0..17)
        .map(|number| json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": format!("{number}"), "x": "" }))
        .collect();
    assert!(matches!(refused(&json!({ "keys": many }).to_string()), Some(KeySetError::Count(17))));
}
