//! What was disabled is refused with the very next request, under load, over real connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    client::Client,
    installation::Installation,
    platform::{
        Token, ask_of, asking, brand_account, decide, gateway, operating, platform_credential, token,
    },
};

const WRITERS: usize = 8;
const READERS: usize = 32;

/// Seconds of the load test: 30 in full, else what `COUNTERSIGN_TEST_SECONDS` says, else 10.
fn seconds() -> u64 {
    if std::env::var("COUNTERSIGN_TEST_FULL").is_ok() {
        return 30;
    }
    std::env::var("COUNTERSIGN_TEST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// What is known of a token's state from outside. Even: nothing is certain, a change is under way or it is enabled.
/// Odd: a disable was answered and no enable was asked for since.
#[derive(Default)]
struct Certainty {
    state: AtomicU64,
    /// A reader finished an ask that began while the token was certainly disabled.
    looked: Notify,
}

impl Certainty {
    fn disabled_for_certain(state: u64) -> bool {
        state % 2 == 1
    }
}

struct Tally {
    allowed: AtomicU64,
    denied: AtomicU64,
    violations: AtomicU64,
    cycles: AtomicU64,
    stop: AtomicBool,
}

async fn read(mut client: Client, token: Token, certainty: Arc<Certainty>, tally: Arc<Tally>) {
    let ask = ask_of(&token);
    while !tally.stop.load(Ordering::SeqCst) {
        let before = certainty.state.load(Ordering::SeqCst);
        let decision = decide(&mut client, &ask).await;
        let after = certainty.state.load(Ordering::SeqCst);
        let certainly_disabled = before == after && Certainty::disabled_for_certain(before);
        match decision {
            Ok(()) => {
                tally.allowed.fetch_add(1, Ordering::SeqCst);
                if certainly_disabled {
                    tally.violations.fetch_add(1, Ordering::SeqCst);
                }
            }
            Err(code) => {
                assert_eq!(code, "token_disabled");
                tally.denied.fetch_add(1, Ordering::SeqCst);
            }
        }
        if certainly_disabled {
            certainty.looked.notify_one();
        }
    }
}

async fn write(mut client: Client, token: Token, certainty: Arc<Certainty>, tally: Arc<Tally>) {
    let path = |deed: &str| format!("/api/v1/accounts/{}/tokens/{}/{deed}", token.account, token.id);
    let nothing: Value = json!({});
    while !tally.stop.load(Ordering::SeqCst) {
        let disabled = client.ask(Method::POST, &path("disable"), Some(&nothing)).await;
        assert_eq!(disabled.status, 200, "{:?}", disabled.body);
        certainty.state.fetch_add(1, Ordering::SeqCst);
        certainty.looked.notified().await;
        certainty.state.fetch_add(1, Ordering::SeqCst);
        let enabled = client.ask(Method::POST, &path("enable"), Some(&nothing)).await;
        assert_eq!(enabled.status, 200, "{:?}", enabled.body);
        tally.cycles.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_began_after_a_disable_was_answered_is_allowed() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let (gateway, credential) = (gateway(&installation), platform_credential(&installation));
    let tally = Arc::new(Tally {
        allowed: AtomicU64::new(0),
        denied: AtomicU64::new(0),
        violations: AtomicU64::new(0),
        cycles: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    let (mut writers, mut readers, mut certainties) = (Vec::new(), Vec::new(), Vec::new());
    for writer in 0..WRITERS {
        let token = token(&installation, &format!("Token {writer}"));
        let certainty = Arc::new(Certainty::default());
        for _ in 0..READERS / WRITERS {
            let client = asking(&server, &gateway).await;
            readers.push(tokio::spawn(read(
                client,
                token.clone(),
                Arc::clone(&certainty),
                Arc::clone(&tally),
            )));
        }
        let client = operating(&server, &credential).await;
        certainties.push(Arc::clone(&certainty));
        writers.push(tokio::spawn(write(client, token, certainty, Arc::clone(&tally))));
    }
    let seconds = seconds();
    tokio::time::sleep(Duration::from_secs(seconds)).await; // poll: the length of the load, not a wait for anything
    tally.stop.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    // A writer may still wait for a reader to look, and they are gone.
    for (writer, certainty) in writers.into_iter().zip(certainties) {
        certainty.looked.notify_one();
        writer.await.unwrap();
    }
    let count = |number: &AtomicU64| number.load(Ordering::SeqCst);
    println!(
        "{seconds} s, {WRITERS} writers, {READERS} readers: {} cycles, {} allowed, {} denied, {} violations",
        count(&tally.cycles),
        count(&tally.allowed),
        count(&tally.denied),
        count(&tally.violations)
    );
    assert_eq!(count(&tally.violations), 0);
    assert!(count(&tally.cycles) > WRITERS as u64 && count(&tally.allowed) > 0 && count(&tally.denied) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_disabled_by_the_command_line_is_refused_with_the_next_request() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let token = token(&installation, "Under load");
    let tally = Arc::new(Tally {
        allowed: AtomicU64::new(0),
        denied: AtomicU64::new(0),
        violations: AtomicU64::new(0),
        cycles: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    let certainty = Arc::new(Certainty::default());
    let mut readers = Vec::new();
    for _ in 0..4 {
        let client = asking(&server, &gateway).await;
        readers.push(tokio::spawn(read(client, token.clone(), Arc::clone(&certainty), Arc::clone(&tally))));
    }
    let mut client = asking(&server, &gateway).await;
    for _ in 0..3 {
        assert_eq!(decide(&mut client, &ask_of(&token)).await, Ok(()));
        let shown = installation.json(&["token", "disable", &token.sid]);
        certainty.state.fetch_add(1, Ordering::SeqCst);
        assert_eq!(shown["token"]["state"], "disabled");
        assert_eq!(decide(&mut client, &ask_of(&token)).await, Err("token_disabled".to_owned()));
        certainty.looked.notified().await;
        certainty.state.fetch_add(1, Ordering::SeqCst);
        installation.json(&["token", "enable", &token.sid]);
    }
    tally.stop.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(tally.violations.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn reset_and_delete_by_the_command_line_are_in_force_and_ask_first() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let mut token = token(&installation, "To be reset");
    let mut client = asking(&server, &gateway).await;

    let refused = installation.run(&["token", "reset", &token.sid]);
    assert_eq!(refused.status.code(), Some(2), "nobody is there to confirm");
    assert_eq!(decide(&mut client, &ask_of(&token)).await, Ok(()));

    let out = installation.path("new-secret");
    let reset = installation.json(&["token", "reset", &token.sid, "--yes", "--out", out.to_str().unwrap()]);
    assert_eq!(decide(&mut client, &ask_of(&token)).await, Err("credentials_invalid".to_owned()));
    let secret = std::fs::read_to_string(&out).unwrap().trim().to_owned();
    assert!(!reset.to_string().contains(&secret), "a secret that goes to a file is not printed");
    token.secret = secret;
    assert_eq!(decide(&mut client, &ask_of(&token)).await, Ok(()));

    let taken = installation.run(&["token", "reset", &token.sid, "--yes", "--out", out.to_str().unwrap()]);
    assert_eq!(taken.status.code(), Some(3));
    assert_eq!(
        decide(&mut client, &ask_of(&token)).await,
        Ok(()),
        "a file that cannot be written costs no secret"
    );

    let deleted = installation.run(&["token", "delete", &token.sid, "--yes"]);
    assert!(deleted.status.success());
    assert_eq!(decide(&mut client, &ask_of(&token)).await, Err("credentials_invalid".to_owned()));
}
