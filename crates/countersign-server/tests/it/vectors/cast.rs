//! Who the vectors speak of: accounts and tokens in every state, and the credentials they present.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_model::{
    catalog,
    credential::Authorization,
    decision::{Ask, Target},
};
use countersign_store::AccountState;
use serde_json::{Value, json};

use super::{Vector, doors};
use crate::tokens::world::{Home, Who, World};

/// From here so many wrong credentials came that the next is too many.
const BURNT: &str = "198.51.100.77";
const READER: [&str; 4] =
    ["brand.actions.list", "brand.actions.get", "brand.actions.update", "brand.ads.list"];

/// Everybody.
pub struct Cast {
    pub world: World,
    tokens: HashMap<&'static str, Player>,
}

/// A token, and what was derived from it.
struct Player {
    sid: String,
    secret: String,
    /// The secret before a reset.
    former: Option<String>,
    /// Access tokens by the scopes they are narrowed to.
    access: HashMap<String, String>,
    /// An access token that has had its time.
    old_access: Option<String>,
}

/// An ask of a vector, ready for every door.
#[derive(Debug)]
pub struct Asked {
    pub authorization: Option<String>,
    pub method: String,
    pub uri: String,
    pub version: Option<u16>,
    pub address: String,
    /// What introspection is asked of: the token that is presented, alone.
    pub token: Option<String>,
}

impl Cast {
    pub async fn gather() -> Self {
        let world = World::new().await;
        retire_version(&world).await;
        let brand = world.home("brand", "acme").await;
        let partner = world.home("partner", "media").await;
        let (suspended, off) = (world.home("brand", "sus").await, world.home("brand", "off").await);
        world.home("brand", "legacy").await;
        let legacy_off = world.home("brand", "legoff").await;
        let mut cast = Self { world, tokens: HashMap::new() };
        let bound = json!(["203.0.113.0/24", "2001:db8::/32", "127.0.0.1"]);
        for (name, home, more) in [
            ("reader", &brand, json!({ "scopes": READER })),
            ("writer", &brand, json!({ "scopes": ["brand.actions.update"] })),
            ("empty", &brand, json!({ "scopes": [] })),
            ("old", &brand, json!({ "scopes": READER, "api_version": 12 })),
            ("bound", &brand, json!({ "scopes": READER, "addresses": bound })),
            (
                "limited",
                &brand,
                json!({ "scopes": READER, "rate_limit": { "requests": 1, "window_secs": 86_400 } }),
            ),
            ("disabled", &brand, json!({ "scopes": READER })),
            ("deleted", &brand, json!({ "scopes": READER })),
            ("reset", &brand, json!({ "scopes": READER })),
            ("expired", &brand, json!({ "scopes": READER, "expires_at": "2026-07-01T13:00:00Z" })),
            ("suspended", &suspended, json!({ "scopes": READER })),
            ("api-off", &off, json!({ "scopes": READER })),
            ("partner", &partner, json!({ "scopes": ["partner.actions.list"] })),
        ] {
            cast.make(name, home, more).await;
        }
        cast.import(&legacy_off).await;
        cast.derive_and_age().await;
        cast.settle([&brand, &suspended, &off]).await;
        cast
    }

    /// A vector's ask. Where it does not say where its client is, that is a place of its own: wrong credentials are
    /// counted by address, and no vector is to be answered for another.
    pub fn ask(&self, vector: &Vector, number: usize) -> Asked {
        let own = || format!("10.0.{}.{}", number / 200, 1 + number % 200);
        let (authorization, token) = self.present(&vector.credential);
        Asked {
            authorization,
            method: vector.method.clone(),
            uri: self.filled(&vector.uri),
            version: vector.version,
            address: vector.address.clone().unwrap_or_else(own),
            token,
        }
    }

    async fn make(&mut self, name: &'static str, home: &Home, more: Value) {
        let (token, secret) = self.world.token(home, name, more).await;
        let sid = token["sid"].as_str().unwrap().to_owned();
        self.tokens.insert(name, Player::new(sid, secret));
    }

    async fn import(&mut self, legacy_off: &Home) {
        let mut rows = String::from(
            "account_external_id,kind,name,sid,secret,secret_sha256,access,scopes,api_version,primary_contact,state,created_at\n",
        );
        for (name, account, sid, secret, access) in [
            ("legacy-rw", "legacy", "LEG-rw", "Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5a", "read_write"),
            ("legacy-ro", "legacy", "LEG-ro", "Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5b", "read_only"),
            ("legacy-off", "legoff", "LEG-off", "Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5c", "read_write"),
        ] {
            let row =
                [account, "brand", name, sid, secret, "", access, "", "13", "", "enabled", "2019-02-03"];
            rows.push_str(&row.join(","));
            rows.push('\n');
            self.tokens.insert(name, Player::new(sid.to_owned(), secret.to_owned()));
        }
        let request = http::Request::post("/api/v1/import?apply=true").header("content-type", "text/csv");
        let reply = self.world.send(&Who::Operator, request.body(rows.into()).unwrap()).await.expect(200);
        assert_eq!(reply.json["accepted"], 3, "{}", reply.text);
        self.world.edit_account(legacy_off.account, |account| account.legacy_tokens = false).await;
    }

    /// Derives access tokens twice: those of before are past their time when the vectors are asked.
    async fn derive_and_age(&mut self) {
        let data_plane = doors::listen(&self.world).await;
        let names: Vec<&'static str> = self.tokens.keys().copied().collect();
        let derived = |player: &Player, scope: &str| doors::access_token(data_plane, &player.basic(), scope);
        for name in &names {
            let player = self.tokens.get_mut(name).unwrap();
            player.old_access = derived(player, "");
        }
        self.world.app.clock.advance_secs(2 * 3_600);
        for name in names {
            let player = self.tokens.get_mut(name).unwrap();
            let scopes: &[&str] = match name {
                "reader" => &["", "brand.ads.list", "brand.ads.list brand.actions.list"],
                _ => &[""],
            };
            for scope in scopes {
                if let Some(access) = derived(player, scope) {
                    player.access.insert((*scope).to_owned(), access);
                }
            }
        }
        let expired = self.tokens.get_mut("expired").unwrap();
        assert!(expired.access.is_empty(), "an expired token gets no access token");
        expired.access.insert(String::new(), expired.old_access.clone().unwrap());
    }

    /// Brings everybody into their state.
    async fn settle(&mut self, [brand, suspended, off]: [&Home; 3]) {
        let world = &self.world;
        let tokens = format!("/accounts/{}/tokens", brand.account);
        let listed = world.get(&brand.who, &format!("{tokens}?limit=200")).await.expect(200).json;
        let id = |name: &str| {
            let items = listed["items"].as_array().unwrap();
            let item = items.iter().find(|item| item["name"] == name).unwrap();
            item["id"].as_str().unwrap().to_owned()
        };
        let act =
            async |path: String, body: Value| world.post(&brand.who, &path, body).await.expect(200).json;
        act(format!("{tokens}/{}/disable", id("disabled")), json!({})).await;
        let reset = act(format!("{tokens}/{}/reset", id("reset")), json!({ "confirm": true })).await;
        let path = format!("{tokens}/{}?confirm_name=deleted", id("deleted"));
        let seen = [("if-match", "\"1\"")];
        world.call(&brand.who, http::Method::DELETE, &path, &seen, None).await.expect(200);
        world.edit_account(suspended.account, |account| account.state = AccountState::Suspended).await;
        world.edit_account(off.account, |account| account.api_access = false).await;
        let player = self.tokens.get_mut("reset").unwrap();
        let secret = reset["secret"].as_str().unwrap().to_owned();
        player.former = Some(std::mem::replace(&mut player.secret, secret));
        let limited = &self.tokens["limited"];
        self.decide(&limited.basic(), &format!("/Advertisers/{}/Actions", limited.sid), "192.0.2.7");
        for _ in 0..60 {
            self.decide("Bearer nobody", "/Advertisers", BURNT);
        }
    }

    fn decide(&self, authorization: &str, uri: &str, address: &str) {
        let app = &self.world.app;
        let ask = Ask {
            authorization: Authorization::One(authorization.as_bytes()),
            target: Target::Request { method: b"GET", uri: uri.as_bytes() },
            version_headers: &[],
            client_address: Some(address.parse().unwrap()),
            min_seq: None,
        };
        app.verifier.decide(&ask, app.clock.now());
    }

    /// The header a credential stands for, and the token alone.
    fn present(&self, credential: &str) -> (Option<String>, Option<String>) {
        let (way, who) = credential.split_once(' ').unwrap_or((credential, ""));
        let (name, rest) = who.split_once(' ').unwrap_or((who, ""));
        let player = || &self.tokens[name];
        let bearer = |token: String| (Some(format!("Bearer {token}")), Some(token));
        match way {
            "none" => (None, None),
            "raw" => (Some(who.to_owned()), who.strip_prefix("Bearer ").map(str::to_owned)),
            "basic" => (Some(player().basic()), Some(player().secret.clone())),
            "BASIC" => (Some(player().basic().replacen("Basic", "BASIC", 1)), Some(player().secret.clone())),
            "bearer" => bearer(player().secret.clone()),
            "bEARER" => (Some(format!("bEARER {}", player().secret)), Some(player().secret.clone())),
            "bearer-old" => bearer(player().former.clone().unwrap()),
            "access" => bearer(player().access[rest].clone()),
            "access-old" => bearer(player().old_access.clone().unwrap()),
            "access-old-secret" => bearer(player().access[""].clone()),
            "access-cut" => bearer(player().access[""][..60].to_owned()),
            "access-basic" => (Some(basic(&player().sid, &player().access[""])), None),
            "mixed" => (Some(basic(&player().sid, &self.tokens[rest].secret)), None),
            other => panic!("no credential is presented {other}"),
        }
    }

    /// `{sid:NAME}`, `{sid1:NAME}` (without its first letter) and `{secret:NAME}` filled in.
    fn filled(&self, uri: &str) -> String {
        self.tokens.iter().fold(uri.to_owned(), |uri, (name, player)| {
            uri.replace(&format!("{{sid:{name}}}"), &player.sid)
                .replace(&format!("{{sid1:{name}}}"), &player.sid[1..])
                .replace(&format!("{{secret:{name}}}"), &player.secret)
        })
    }
}

impl Player {
    fn new(sid: String, secret: String) -> Self {
        Self { sid, secret, former: None, access: HashMap::new(), old_access: None }
    }

    fn basic(&self) -> String {
        basic(&self.sid, &self.secret)
    }
}

fn basic(sid: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")))
}

/// The default catalog, with version 11 of brands past its sunset.
async fn retire_version(world: &World) {
    let (front, brand) = catalog::standard_source().split_once("id = \"brand\"\n").unwrap();
    let brand = brand.replacen("number = 11\n", "number = 11\nsunset = 2026-01-01\n", 1);
    let source = json!({ "source": format!("{front}id = \"brand\"\n{brand}") });
    world.call(&Who::Operator, http::Method::PUT, "/catalog", &[], Some(source)).await.expect(200);
}
