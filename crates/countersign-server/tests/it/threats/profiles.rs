//! T-22 and T-38 at our own door, for the profile of every gateway we ship: each fact has one place, whatever else a
//! question says is ignored or refused, and the client's address is read from the right. What the gateways themselves do
//! is shown with the real ones, in the tests of the binary.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_server::node::{GatewayProfile, Recipe};
use serde_json::json;

use super::live::{Line, Live};
use crate::harness::{ADMINISTRATOR, World, user_id};

/// Where the token may be used from, and what a liar claims.
const HOME: &str = "203.0.113.5";
const IDENTITY: [&str; 8] = [
    "X-Countersign-Account",
    "X-Countersign-Account-Kind",
    "X-Countersign-Sid",
    "X-Countersign-Scope",
    "X-Countersign-Api-Version",
    "X-Countersign-Request-Id",
    "X-Countersign-Assertion",
    "X-Countersign-Gateway",
];
/// Every header any profile names; those of another gateway are ignored.
const PLACES: [&str; 8] = [
    "X-Original-Method",
    "X-Original-URI",
    "X-Original-Address",
    "X-Forwarded-Method",
    "X-Forwarded-Uri",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-Envoy-External-Address",
];

/// A gateway of ours with its profile, as its configuration asks.
struct Gateway {
    recipe: Recipe,
    profile: GatewayProfile,
    name: String,
    credential: String,
}

/// One question, before it is written down.
struct Question<'q> {
    method: &'q str,
    uri: &'q str,
    addresses: &'q str,
    extra: &'q str,
}

impl Gateway {
    /// The request this gateway asks with. What it says by itself comes in front of what it passes on.
    fn ask(&self, question: &Question<'_>, authorization: &str) -> Vec<u8> {
        let Question { method, uri, addresses, extra } = question;
        let named = |header: &Option<String>, value: &str| {
            header.as_ref().map_or_else(String::new, |header| format!("{header}: {value}\r\n"))
        };
        let own_method = if self.profile.method_header.is_some() { "GET" } else { method };
        let own_target = if self.profile.uri_header.is_some() { "" } else { uri };
        format!(
            "{own_method} /v1/forward-auth/{}{own_target} HTTP/1.1\r\nHost: a\r\nX-Countersign-Gateway: {}\r\n{}{}{}{}: \
             {addresses}\r\n{authorization}{extra}Content-Length: 0\r\n\r\n",
            self.name,
            self.credential,
            named(&self.profile.method_header, method),
            named(&self.profile.uri_header, uri),
            named(&self.profile.host_header, "api.example"),
            self.profile.address_header,
        )
        .into_bytes()
    }

    fn names(&self, header: &str) -> bool {
        self.profile.headers().any(|(_, name)| name.eq_ignore_ascii_case(header))
    }
}

struct Scene {
    line: Line,
    sid: String,
    authorization: String,
}

impl Scene {
    fn status(&mut self, gateway: &Gateway, question: &Question<'_>) -> u16 {
        let request = gateway.ask(question, &self.authorization);
        let answer = self.line.ask(&request);
        assert!(
            answer.status() != 503 || answer.body.contains("gateway_misconfigured"),
            "{:?}: {answer:?}",
            gateway.recipe
        );
        answer.status()
    }
}

/// Starts a server with a gateway of every profile and one token, and runs the test against it.
async fn run(test: impl FnOnce(&mut Scene, &[Gateway]) + Send + 'static) {
    let live = Live::start(World::new().await).await;
    let world = &live.world;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let path = format!("/api/v1/accounts/{account}/tokens");
    let new = json!({ "name": "Home", "scopes": ["brand.actions.list"], "addresses": [HOME],
        "primary_contact": user_id(&ada).await });
    let made = ada.post(&path, new).await.expect(201).json();
    let (sid, secret) = (made["token"]["sid"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let mut gateways = Vec::new();
    for recipe in Recipe::ALL {
        let profile = serde_json::to_value(recipe).unwrap();
        let name = profile.as_str().unwrap().replace('_', "-");
        let new = json!({ "name": name, "profile": profile });
        let made = world.operator.post("/api/v1/gateways", new).await.expect(201).json();
        assert_eq!(made["gateway"]["profile"]["recipe"], profile);
        let credential = made["credential"].as_str().unwrap().to_owned();
        gateways.push(Gateway { recipe, profile: recipe.profile(), name, credential });
    }
    let authorization = format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{sid}:{secret}")));
    let (data_plane, sid) = (live.data_plane, sid.to_owned());
    let asked = tokio::task::spawn_blocking(move || {
        let mut scene = Scene { line: Line::to(data_plane), sid, authorization };
        test(&mut scene, &gateways);
    });
    asked.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fact_has_one_place_and_another_spelling_of_it_is_refused() {
    run(|scene, gateways| {
        let (allowed, denied) =
            (format!("/Advertisers/{}/Actions", scene.sid), format!("/Advertisers/{}/Ads", scene.sid));
        let mut asked = 0;
        for gateway in gateways {
            let mut status = |uri: &str, extra: &str| {
                asked += 1;
                scene.status(gateway, &Question { method: "GET", uri, addresses: HOME, extra })
            };
            assert_eq!(status(&allowed, ""), 200, "{:?}", gateway.recipe);
            assert_eq!(status(&denied, ""), 403, "{:?}", gateway.recipe);
            for header in IDENTITY.into_iter().chain(PLACES) {
                let is_place = gateway.names(header);
                let twice = format!("{header}: {allowed}\r\n");
                // A second credential is told in a test of its own: it is no gateway's.
                if header != "X-Countersign-Gateway" {
                    let expected = if is_place { 400 } else { 403 };
                    assert_eq!(status(&denied, &twice), expected, "{:?}: {twice}", gateway.recipe);
                }
                let is_ours = is_place || header.starts_with("X-Countersign");
                let expected = if is_ours { 400 } else { 403 };
                for separator in ['_', '.', '~', '|', '+', '!', '\''] {
                    let alias = header.replace('-', &separator.to_string());
                    let last = header.rfind('-').unwrap();
                    let mixed = format!("{}{separator}{}", &header[..last], &header[last + 1..]);
                    for spelling in [&alias, &alias.to_ascii_lowercase(), &mixed] {
                        let line = format!("{spelling}: {allowed}\r\n");
                        assert_eq!(status(&denied, &line), expected, "{:?}: {line}", gateway.recipe);
                    }
                }
                for line in [
                    format!("Connection: {header}\r\n"),
                    format!("Connection: keep-alive,  {}\r\n", header.to_ascii_lowercase()),
                    format!("Connection: TE\r\nConnection: {}\r\n", header.replace('-', "_")),
                ] {
                    assert_eq!(status(&denied, &line), expected, "{:?}: {line}", gateway.recipe);
                }
            }
        }
        println!("T-22: {asked} questions of {} profiles", gateways.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_one_method_or_path_is_refused() {
    run(|scene, gateways| {
        let allowed = format!("/Advertisers/{}/Actions", scene.sid);
        let authorization = scene.authorization.clone();
        for gateway in gateways {
            let mut status = |method: &str, uri: &str| {
                scene.status(gateway, &Question { method, uri, addresses: HOME, extra: "" })
            };
            // A gateway whose question is the path itself cannot ask for these at all.
            let in_a_header = gateway.profile.uri_header.is_some();
            for uri in ["*", "Advertisers", "http://a/Advertisers", "/a\tb", "/a#b", "/a /b"] {
                if in_a_header {
                    assert_eq!(status("GET", uri), 400, "{:?}: {uri:?}", gateway.recipe);
                }
            }
            for uri in [
                format!("{allowed},{allowed}"),
                format!("{allowed}, {allowed}"),
                format!("{allowed}?a=b,{allowed}"),
                format!("/{allowed}"),
                format!("{allowed}/../Ads"),
                format!("{allowed}/%2e%2e/Ads"),
                allowed.replace("/Actions", "%2fActions"),
                format!("{allowed};a"),
                format!("{allowed}%00"),
                format!("{allowed}%ff"),
            ] {
                if in_a_header || !uri.contains(' ') {
                    assert_eq!(status("GET", &uri), 400, "{:?}: {uri:?}", gateway.recipe);
                }
            }
            if in_a_header {
                assert_eq!(status("GET,POST", &allowed), 400, "{:?}", gateway.recipe);
                assert_eq!(status("GET\tPOST", &allowed), 400, "{:?}", gateway.recipe);
            }
            assert_eq!(status("DELETE", &allowed), 403, "{:?}", gateway.recipe);
            assert_eq!(status("HEAD", &allowed), 200, "{:?}", gateway.recipe);
        }
        // A gateway that speaks like another than its profile says: what the profile names may be a client's then.
        let claims = format!(
            "X-Original-Method: GET\r\nX-Original-URI: {allowed}\r\nX-Original-Address: {HOME}\r\nX-Forwarded-Method: \
             GET\r\nX-Forwarded-Uri: {allowed}\r\nX-Forwarded-Host: a\r\nX-Forwarded-For: {HOME}\r\n\
             X-Envoy-External-Address: {HOME}\r\n"
        );
        for gateway in gateways {
            let target = if gateway.profile.uri_header.is_some() { "/Advertisers" } else { "?x" };
            let request = format!(
                "GET /v1/forward-auth/{}{target} HTTP/1.1\r\nHost: a\r\nX-Countersign-Gateway: {}\r\n{claims}{authorization}\r\n",
                gateway.name, gateway.credential
            );
            let answer = scene.line.ask(request.as_bytes());
            assert_eq!(answer.status(), 503, "{:?}: {answer:?}", gateway.recipe);
            assert!(answer.body.contains("gateway_misconfigured"), "{answer:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_the_last_one_of_the_list() {
    run(|scene, gateways| {
        let allowed = format!("/Advertisers/{}/Actions", scene.sid);
        let last = [
            (HOME, 200),
            ("203.0.113.5:4711", 200),
            ("::ffff:203.0.113.5", 200),
            ("[::ffff:203.0.113.5]:443", 200),
            ("198.51.100.9", 403),
            ("2001:db8::5", 403),
            ("127.0.0.1", 403),
            ("203.0.113.05", 503),
            ("localhost", 503),
            ("unknown", 503),
            ("", 503),
        ];
        let claimed = ["", "203.0.113.5,", "203.0.113.5, 203.0.113.5,", "nonsense, ,,", "127.0.0.1, ::1,"];
        let mut asked = 0;
        for gateway in gateways {
            for (entry, expected) in last {
                for front in claimed {
                    let addresses = format!("{front}{entry}");
                    let question =
                        Question { method: "GET", uri: &allowed, addresses: &addresses, extra: "" };
                    assert_eq!(
                        scene.status(gateway, &question),
                        expected,
                        "{:?}: {addresses}",
                        gateway.recipe
                    );
                    asked += 1;
                }
            }
            // Another line of the list is somebody else's, wherever it stands.
            let extra = format!("{}: {HOME}\r\n", gateway.profile.address_header);
            let question =
                Question { method: "GET", uri: &allowed, addresses: "198.51.100.9", extra: &extra };
            assert_eq!(scene.status(gateway, &question), 400, "{:?}", gateway.recipe);
        }
        assert!(asked >= 120 * 3, "{asked}");
        println!("T-38: {asked} lists at {} profiles", gateways.len());
    })
    .await;
}
