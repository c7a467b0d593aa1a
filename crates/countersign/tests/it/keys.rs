//! Rotations of keys and power cuts: the server is killed at random moments of every rotation, ten times for each while it
//! is under way, and after every start each secret verifies. At the end every recoverable one opens.

use std::{fmt::Write as _, thread, time::Duration};

use countersign_model::secret::SecretFormat;
use countersign_server::{
    app::{App, Settings},
    clock::Clock,
    open::OpenOptions,
    ops::{passwords::PasswordCost, secrets},
    random::Random,
    webhooks::Policy,
};
use countersign_store::{PageAsk, TokenFilter};
use http::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Client,
    installation::{Installation, Server},
    platform::{CONTACT, asking, brand_account, gateway, operating, platform_credential},
};

/// Secrets that come in whole, and are recoverable.
const TOKENS: usize = 600;
/// Accounts beside: each has a data key to wrap.
const ACCOUNTS: usize = 220;
/// Power cuts that are to meet each rotation under way. How many do depends on how fast the machine is at it.
const CUTS: u32 = 10;
/// Fewer than that prove nothing.
const CUTS_MIN: u32 = 3;
/// Power cuts of each rotation at most.
const CUTS_MAX: u32 = 100;
/// The longest a rotation is left alone before the power goes, to begin with; less where it was over by then.
const LONGEST_MILLIS: u64 = 60;
const ROTATIONS: [&str; 4] = ["reveal_root", "data_keys", "pepper", "verify_root"];

struct Platform {
    installation: Installation,
    server: Server,
    gateway: String,
    credential: String,
    secrets: Vec<String>,
}

impl Platform {
    async fn new() -> Self {
        let installation = Installation::empty();
        let server = installation.serve();
        brand_account(&installation, &server).await;
        let (gateway, credential) = (gateway(&installation), platform_credential(&installation));
        let mut file = "account_external_id,kind,name,sid,secret,access,scopes,api_version,primary_contact,state,created_at\n".to_owned();
        let mut secrets = Vec::new();
        for number in 0..TOKENS {
            let secret = format!("Kq8vZ3xW7nR2mT9pL4sD6fG1hJ5x{number:04}");
            writeln!(
                file,
                "brand,brand,Token {number},SID-{number},{secret},scoped,,13,{CONTACT},enabled,2025-06-01"
            )
            .unwrap();
            secrets.push(secret);
        }
        let path = installation.write("tokens.csv", &file);
        let applied = installation.run(&["import", "tokens", path.to_str().unwrap(), "--apply"]);
        assert!(applied.status.success(), "{}", crate::installation::errors(&applied));
        let mut operator = operating(&server, &credential).await;
        for number in 0..ACCOUNTS {
            let name = format!("Beside {number}");
            let new = json!({ "external_id": format!("beside-{number}"), "kind": "brand", "name": name });
            assert_eq!(operator.ask(Method::POST, "/api/v1/accounts", Some(&new)).await.status, 201);
        }
        Self { installation, server, gateway, credential, secrets }
    }

    async fn operator(&self) -> Client {
        operating(&self.server, &self.credential).await
    }

    /// Every secret verifies, in batches as gateways ask.
    async fn check(&self) {
        let mut gateway = asking(&self.server, &self.gateway).await;
        for some in self.secrets.chunks(100) {
            let asks: Vec<Value> = some
                .iter()
                .map(|secret| {
                    json!({ "authorization": format!("Bearer {secret}"), "scope": "brand.actions.list" })
                })
                .collect();
            let body = json!({ "asks": asks });
            let answer = gateway.ask(Method::POST, "/v1/verify", Some(&body)).await;
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            for decision in answer.body["verdicts"].as_array().unwrap() {
                // They hold no scope: but they are known.
                assert_eq!(decision["code"], "scope_missing", "{decision}");
            }
        }
    }

    /// Waits until no rotation runs.
    async fn ended(&self) {
        let mut operator = self.operator().await;
        loop {
            let keys = operator.ask(Method::GET, "/api/v1/keys", None).await;
            assert_eq!(keys.status, 200, "{:?}", keys.body);
            if keys.body["rotation"]["running"] != true {
                return;
            }
            thread::sleep(Duration::from_millis(5)); // poll
        }
    }

    fn cut(&mut self) {
        self.server.kill();
        self.server = self.installation.serve();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rotation_survives_power_cuts() {
    let mut platform = Platform::new().await;
    let mut seed = 1_u64;
    for key in ROTATIONS {
        let (mut cuts, mut during, mut begun, mut longest) = (0, 0, 0, LONGEST_MILLIS);
        while during < CUTS && cuts < CUTS_MAX {
            let mut operator = platform.operator().await;
            let asked = json!({ "key": key });
            let answer = operator.ask(Method::POST, "/api/v1/keys/rotations", Some(&asked)).await;
            assert!(answer.status == 202 || answer.status == 409, "{:?}", answer.body);
            begun += u32::from(answer.status == 202);
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Nothing is awaited: the cut comes at any moment.
            thread::sleep(Duration::from_millis((seed >> 33) % (longest + 1))); // poll
            platform.cut();
            cuts += 1;
            let mut operator = platform.operator().await;
            let keys = operator.ask(Method::GET, "/api/v1/keys", None).await;
            if keys.body["rotation"]["running"] == true {
                (during, longest) = (during + 1, LONGEST_MILLIS.min(longest + longest / 4 + 1));
            } else {
                longest /= 2;
            }
            platform.check().await;
        }
        platform.ended().await;
        platform.check().await;
        println!("{key}: {cuts} cuts in {begun} rotations, {during} of them under way");
        assert!(during >= CUTS_MIN, "{key} was met under way {during} times only");
    }
    let finding = platform.installation.json(&["audit", "verify"]);
    assert_eq!(finding["whole"], true, "{finding}");
    let said = platform.installation.json(&["keys", "status"]);
    assert_eq!(said["rotation"]["running"], false);
    assert!(said["generations"].as_array().unwrap().len() > 8, "{said}");
    let Platform { installation, server, secrets, .. } = platform;
    drop(server);
    open_all(&installation, &secrets).await;
}

fn settings() -> Settings {
    Settings {
        public_url: "http://localhost:8470".to_owned(),
        http2: true,
        format: SecretFormat::standard(),
        reveal_once: false,
        trusted_proxies: Vec::new(),
        session_idle_secs: 1_800,
        session_secs: 12 * 3_600,
        checkpoint_file: None,
        audit_retention_days: None,
        mail: None,
        webhooks: Policy::default(),
    }
}

/// Opens every secret, past the rules of who may see one.
async fn open_all(installation: &Installation, secrets: &[String]) {
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let app = App::open(OpenOptions {
        data_dir: installation.path("data"),
        database_url: None,
        keys_dir: installation.path("keys"),
        settings: settings(),
        clock: Clock::system(),
        random: Random::System,
        password_cost: PasswordCost::standard(),
        accept_rollback: false,
        stop,
    })
    .await
    .unwrap();
    let account = app.store.account_by_external_id("brand").await.unwrap().unwrap();
    let (mut opened, mut page) = (0, PageAsk { after: None, limit: 200 });
    loop {
        let rows = app.store.within(account.id).tokens(&TokenFilter::default(), &page).await.unwrap();
        for token in rows.rows {
            let secret = secrets::open(&app, &account, &token).unwrap();
            assert!(secrets.iter().any(|known| known == secret.expose()));
            opened += 1;
        }
        page.after = rows.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(opened, secrets.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_without_a_server_too() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    drop(server);
    for key in ["reveal-root", "data-keys", "pepper", "verify-root"] {
        let rotated = installation.json(&["keys", "rotate", key]);
        assert_eq!(rotated["running"], false, "{rotated}");
    }
    let said = installation.json(&["keys", "status"]);
    assert_eq!(
        said["files"].as_array().unwrap().len(),
        3,
        "{said}: the old verify root is kept for sessions"
    );
    assert_eq!(said["spare_files"], json!(["root-reveal"]));
    let server = installation.serve();
    drop(server);
    std::fs::remove_file(installation.path("keys/root-reveal.2")).unwrap();
    let refused = installation.run(&["keys", "status"]);
    assert!(!refused.status.success());
    let told = crate::installation::errors(&refused);
    assert!(told.contains("root-reveal.2") && told.contains("restore that file"), "{told}");
}
