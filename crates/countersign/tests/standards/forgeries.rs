//! Assertions that nobody may believe, each made from one that is right.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_assertion::{Claims, TYPE, path_hash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::scene::{AUDIENCE, ISSUER};

/// A key that plays the installation's, so that wrong claims can be signed rightly.
pub struct Forge {
    pair: Ed25519KeyPair,
}

/// The `kid` of that key.
const KEY: &str = "of-the-test";

impl Forge {
    pub fn new(seed: u8) -> Self {
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    /// Its key set.
    pub fn key_set(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY, "x": x }] })
    }

    fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn key(&self) -> EncodingKey {
        EncodingKey::from_ed_der(self.pair.to_pkcs8v1().unwrap().as_ref())
    }

    fn header() -> Header {
        Header { typ: Some(TYPE.to_owned()), kid: Some(KEY.to_owned()), ..Header::new(Algorithm::EdDSA) }
    }

    /// A right assertion about a GET of this target.
    pub fn right(&self, target: &str) -> String {
        encode(&Self::header(), &claims(target), &self.key()).unwrap()
    }

    /// Wrong ones about a GET of this target.
    pub fn wrong(&self, target: &str) -> Vec<(&'static str, String)> {
        let good = self.right(target);
        let [head, body, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let now = claims(target).iat;
        let with = |change: &dyn Fn(&mut Claims<'static>)| {
            let mut other = claims(target);
            change(&mut other);
            encode(&Self::header(), &other, &self.key()).unwrap()
        };
        let headed = |header: Header, key: &EncodingKey| encode(&header, &claims(target), key).unwrap();
        let written = |header: &Value| URL_SAFE_NO_PAD.encode(header.to_string());
        let none = written(&json!({ "alg": "none", "typ": TYPE, "kid": KEY }));
        let carried = written(&json!({ "alg": "EdDSA", "typ": TYPE,
            "jwk": { "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(Self::new(99).public()) } }));
        let symmetric = Header { alg: Algorithm::HS256, ..Self::header() };
        let other = with(&|claims| claims.sub = "BR2".into());
        let other_body = other.split('.').nth(1).unwrap();
        let stranger = headed(Self::header(), &Self::new(99).key());
        let stranger = stranger.rsplit('.').next().unwrap();
        vec![
            ("alg none", format!("{none}.{body}.")),
            ("alg none with a signature", format!("{none}.{body}.{signature}")),
            ("HS256 with the public key", headed(symmetric, &EncodingKey::from_secret(self.public()))),
            ("another issuer", with(&|claims| claims.iss = "https://elsewhere.example.com".into())),
            ("another audience", with(&|claims| claims.aud = "billing".into())),
            ("expired", with(&|claims| (claims.iat, claims.exp) = (now - 90, now - 60))),
            ("not yet", with(&|claims| (claims.iat, claims.exp) = (now + 60, now + 90))),
            ("for an hour", with(&|claims| claims.exp = now + 3_600)),
            ("another path", with(&|claims| claims.path_sha256 = path_hash(b"/Other").into())),
            ("another method", with(&|claims| claims.method = "DELETE".into())),
            ("another host", with(&|claims| claims.host = "other.example.com".into())),
            (
                "an unknown kid",
                headed(Header { kid: Some("other".to_owned()), ..Self::header() }, &self.key()),
            ),
            ("no kid", headed(Header { kid: None, ..Self::header() }, &self.key())),
            ("another type", headed(Header { typ: Some("JWT".to_owned()), ..Self::header() }, &self.key())),
            ("the key in the header", format!("{carried}.{body}.{stranger}")),
            ("the signature of a stranger", format!("{head}.{body}.{stranger}")),
            ("the claims of another", format!("{head}.{other_body}.{signature}")),
            ("no signature", format!("{head}.{body}.")),
            ("cut", good[..good.len() - 8].to_owned()),
            ("two parts", format!("{head}.{body}")),
            ("empty", String::new()),
            ("nonsense", "a.b.c".to_owned()),
        ]
    }
}

fn claims(target: &str) -> Claims<'static> {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: "BR1".into(),
        account: "acc_1".into(),
        kind: "brand".into(),
        scope: "brand.actions.list".into(),
        version: 14,
        method: "GET".into(),
        host: "api.example.com".into(),
        path_sha256: path_hash(target.as_bytes()).into(),
        iat: now,
        exp: now + 30,
        jti: "req_1".into(),
    }
}
