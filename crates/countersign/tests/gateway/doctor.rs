//! The doctor at every gateway we ship a recipe for: it finds nothing wrong with a recipe as it is, and something with
//! every copy that was broken on purpose.

use std::{
    net::SocketAddr,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use countersign_model::probe::ProbeCheck;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    countersign::Countersign,
    gateways::{self, Between, Class, Fault, Gateway, Running, place},
    pages,
    started::Started,
};

/// Probes beside each other: of its twenty seconds each spends one on a processor, and waits for time limits in the others.
const LANES: usize = 24;
const ACCOUNT: &str = "probed";
const SCOPE: &str = "brand.actions.list";
const PATH: &str = "/Advertisers/{sid}/Actions";

/// One gateway to be probed.
struct Case {
    gateway: &'static Gateway,
    fault: Option<&'static Fault>,
    name: String,
}

/// What a probe said.
struct Probed {
    code: Option<i32>,
    report: Value,
    all: String,
}

impl Probed {
    fn of(output: &Output) -> Self {
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        Self {
            code: output.status.code(),
            report: serde_json::from_str(&told).unwrap_or_default(),
            all: told + &String::from_utf8_lossy(&output.stderr),
        }
    }

    /// The checks with this verdict.
    fn with(&self, verdict: &str) -> Vec<&str> {
        let checks = self.report["checks"].as_array().into_iter().flatten();
        checks.filter(|one| one["verdict"] == verdict).filter_map(|one| one["check"].as_str()).collect()
    }
}

/// Runs the binary beside the running server.
async fn run(countersign: &Countersign, arguments: Vec<String>) -> Probed {
    let mut command = countersign.installation.command();
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    Probed::of(&output)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The checks of which one has to find what the suite finds as this: another might find something of its own.
fn looks_at(class: Class) -> &'static [&'static str] {
    match class {
        Class::Open => &["credentials", "paths", "client_address"],
        Class::Spoofed => &["identity_headers", "method_override", "question_headers"],
        Class::Rewritten => &["paths"],
        Class::Credential => &["credential_forwarded"],
        Class::Untrue => &["statuses", "outage"],
        Class::FailsOpen => &["outage"],
        Class::Late => &["late_answers"],
        Class::Cached => &["caching", "revocation"],
        Class::Untold => &["identity_headers", "request_ids", "statuses"],
        Class::Unkept => &["kept_connections"],
    }
}

/// Starts a gateway between the doctor's two ends, and probes it.
async fn probe(countersign: &Countersign, case: &Case) -> Probed {
    let credential = countersign.gateway(&case.name, case.gateway.profile).await;
    let (_held, at) = place();
    let (ask_at, back_end_at): (SocketAddr, SocketAddr) = (at(3), at(4));
    let between =
        Between { data_plane: ask_at, back_end: back_end_at, name: &case.name, credential: &credential };
    let running = Running::start(case.gateway, case.fault, &between).await;
    let (address, data_plane) = (running.address, countersign.server.data_plane);
    let line = format!(
        "gateway probe http://{address} --gateway {} --kind {} --account {ACCOUNT} --scope {SCOPE} --path {PATH} \
         --back-end-at {back_end_at} --ask-at {ask_at} --data-plane {data_plane} -o json",
        case.name, case.gateway.name
    );
    let probed = run(countersign, words(&line)).await;
    assert!(!probed.all.contains(&credential), "the gateway's credential is shown: {}", probed.all);
    assert!(!probed.all.contains("csign_"), "an Auth Token is shown: {}", probed.all);
    probed
}

/// Probes all of these, a few at a time; answers what is wrong.
async fn probe_all(cases: Vec<Case>, wrong: impl Fn(&Case, &Probed) -> Option<String>) -> Vec<String> {
    let countersign = Arc::new(Countersign::start().await);
    countersign.account_named("brand", ACCOUNT).await;
    let probes = stream::iter(cases).map(|case| {
        let countersign = Arc::clone(&countersign);
        async move {
            let probed = probe(&countersign, &case).await;
            (case, probed)
        }
    });
    let done: Vec<(Case, Probed)> = probes.buffer_unordered(LANES).collect().await;
    // A probe leaves nothing behind.
    let accounts =
        countersign.operator(&format!("GET /api/v1/accounts?search={ACCOUNT}"), &Value::Null).await;
    let tokens = format!("GET /api/v1/accounts/{}/tokens", accounts["items"][0]["id"].as_str().unwrap());
    assert_eq!(countersign.operator(&tokens, &Value::Null).await["items"], json!([]));
    done.iter().filter_map(|(case, probed)| wrong(case, probed)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_nothing_wrong_with_our_recipes() {
    let cases = gateways::ALL
        .into_iter()
        .map(|gateway| Case { gateway, fault: None, name: format!("{}-intact", gateway.name) })
        .collect();
    let wrong = probe_all(cases, |case, probed| {
        let fine = probed.code == Some(0) && probed.with("shut").len() == ProbeCheck::ALL.len();
        (!fine).then(|| format!("{}: {:?} {}", case.name, probed.code, probed.all))
    });
    let wrong = wrong.await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_every_fault() {
    let mut cases: Vec<Case> = gateways::ALL
        .into_iter()
        .flat_map(|gateway| {
            gateway.faults.iter().enumerate().map(move |(index, fault)| Case {
                gateway,
                fault: Some(fault),
                name: format!("{}-fault-{index}", gateway.name),
            })
        })
        .collect();
    assert!(cases.len() >= 60, "only {} broken copies", cases.len());
    // Who waits longest begins first.
    cases.sort_by_key(|case| case.fault.is_none_or(|fault| fault.found != Class::Late));
    println!("broken copies: {}", cases.len());
    let wrong = probe_all(cases, |case, probed| {
        let name = case.fault.map_or("", |fault| fault.name);
        println!("{}: {name}: {:?}", case.gateway.name, probed.with("found"));
        let looks = case.fault.map_or(&[] as &[&str], |fault| looks_at(fault.found));
        let found = probed.code == Some(1) && probed.with("found").iter().any(|check| looks.contains(check));
        (!found).then(|| format!("{}: {name}: {:?} {}", case.gateway.name, probed.code, probed.all))
    });
    let wrong = wrong.await;
    assert!(wrong.is_empty(), "not found: {}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_it_needs_and_ends_with_what_scripts_can_tell_apart() {
    let countersign = Countersign::start().await;
    let brand = countersign.account_named("brand", ACCOUNT).await;
    let token = countersign.token(&brand, "Probing", &[SCOPE]).await;
    countersign.installation.write("token", &format!("{}:{}\n", token.sid, token.secret));
    let gateway = gateways::ALL[0];
    let credential = countersign.gateway("alone", gateway.profile).await;
    let (back_end, at) = crate::stack::record().await;
    let between = Between {
        data_plane: countersign.server.data_plane,
        back_end: at,
        name: "alone",
        credential: &credential,
    };
    let running = Running::start(gateway, None, &between).await;
    let path = PATH.replace("{sid}", &token.sid);
    let base = format!("gateway probe http://{} --path {path} --token-file token", running.address);
    let told = run(&countersign, words(&format!("{base} --no-store -o json"))).await;
    assert_eq!(told.code, Some(0), "{}", told.all);
    assert!(told.with("not_checked").contains(&"identity_headers"), "{}", told.all);
    assert!(told.all.contains("give --back-end-at") && told.all.contains("give --ask-at"), "{}", told.all);
    assert!(!told.all.contains(&token.secret), "{}", told.all);
    assert!(!back_end.take_recorded().is_empty(), "it drove the gateway");
    let strict = run(&countersign, words(&format!("{base} --no-store --complete"))).await;
    assert_eq!(strict.code, Some(3), "{}", strict.all);
    assert!(strict.all.contains("shut         credentials"), "{}", strict.all);
    // What was stored is what the operator's page shows.
    let seen = "GET /api/v1/gateways/alone/probe";
    assert_eq!(countersign.operator(seen, &Value::Null).await, json!({ "probe": null }));
    assert_eq!(run(&countersign, words(&format!("{base} --gateway alone"))).await.code, Some(0));
    let stored = countersign.operator(seen, &Value::Null).await;
    assert_eq!(stored["probe"]["report"]["checks"][0]["verdict"], "shut", "{stored}");
    for (arguments, code) in [
        ("--gateway nobody".to_owned(), 1),
        ("--no-store --ask-at 127.0.0.1:1".to_owned(), 2),
        ("--no-store --account probed".to_owned(), 2),
        ("--no-store --path /Advertisers/{sid}/Actions".to_owned(), 2),
        (format!("--no-store --back-end-at {at}"), 3),
    ] {
        let told = run(&countersign, words(&format!("{base} {arguments}"))).await;
        assert_eq!(told.code, Some(code), "{arguments}: {}", told.all);
    }
    let unknown = format!("gateway probe http://127.0.0.1:1 --path {path} --token-file token --no-store");
    assert_eq!(run(&countersign, words(&unknown)).await.code, Some(3));
    countersign.installation.write("token", "csign_00000000000000000000000000000000000000\n");
    let told = run(&countersign, words(&format!("{base} --no-store"))).await;
    assert_eq!(told.code, Some(3), "{}", told.all);
    assert!(told.all.contains("the Auth Token is not known"), "{}", told.all);
}

/// What could be an allow is played only where the doctor is the back end: else every client would reach the real one.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_opens_no_gateway_with_a_back_end_of_its_own() {
    let countersign = Countersign::start().await;
    let brand = countersign.account_named("brand", ACCOUNT).await;
    let token = countersign.token(&brand, "Probing", &[SCOPE]).await;
    countersign.installation.write("token", &format!("{}\n", token.secret));
    let gateway = gateways::ALL[0];
    let credential = countersign.gateway("busy", gateway.profile).await;
    let (back_end, back_end_at) = crate::stack::record().await;
    let (_held, at) = place();
    let between = Between { data_plane: at(3), back_end: back_end_at, name: "busy", credential: &credential };
    let running = Running::start(gateway, None, &between).await;
    let line = format!(
        "gateway probe http://{} --path {} --token-file token --no-store --ask-at {} --data-plane {} -o json",
        running.address,
        PATH.replace("{sid}", &token.sid),
        at(3),
        countersign.server.data_plane
    );
    let told = run(&countersign, words(&line)).await;
    assert_eq!(told.code, Some(0), "{}", told.all);
    for check in ["outage", "statuses"] {
        assert!(told.with("not_checked").contains(&check), "{check}: {}", told.all);
    }
    assert!(told.with("shut").contains(&"late_answers"), "{}", told.all);
    let reached = back_end.take_recorded();
    assert!(!reached.is_empty(), "honest requests passed");
    for one in reached {
        assert_eq!(one.header("x-countersign-sid"), token.sid, "let in by Countersign itself: {one:?}");
    }
}

/// A probe that is ended leaves no token behind, and one that is killed leaves none that lives on.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_doctor_do_not_outlive_it() {
    let countersign = Countersign::start().await;
    let brand = countersign.account_named("brand", ACCOUNT).await;
    let gateway = gateways::ALL[0];
    let credential = countersign.gateway("ended", gateway.profile).await;
    let (_held, at) = place();
    let between = Between { data_plane: at(3), back_end: at(4), name: "ended", credential: &credential };
    let running = Running::start(gateway, None, &between).await;
    let line = format!(
        "gateway probe http://{} --no-store --account {ACCOUNT} --scope {SCOPE} --path {PATH} \
         --back-end-at {} --ask-at {} --data-plane {}",
        running.address,
        at(4),
        at(3),
        countersign.server.data_plane
    );
    let tokens = format!("GET /api/v1/accounts/{}/tokens", brand.id);
    for signal in ["TERM", "HUP", "INT"] {
        let mut command = countersign.installation.command();
        command.args(words(&line)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        loop {
            assert_eq!(child.try_wait().unwrap(), None, "it ends before it is told to");
            let seen = countersign.operator(&tokens, &Value::Null).await;
            // As soon as there is one: the probe may be about to make the other.
            if let Some(first) = seen["items"].as_array().unwrap().first() {
                assert!(first["expires_at"].is_string(), "{first}");
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await; // poll
        }
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
        let told = Probed::of(&output);
        assert_eq!(told.code, Some(3), "{signal}: {}", told.all);
        assert!(told.all.contains("interrupted"), "{signal}: {}", told.all);
        assert_eq!(countersign.operator(&tokens, &Value::Null).await["items"], json!([]), "{signal}");
    }
}

/// The page of the doctor, with addresses that are free here.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_doctor_does_what_it_shows() {
    let countersign = Countersign::start().await;
    countersign.account_named("brand", ACCOUNT).await;
    let (_held, at) = place();
    let mut page = pages::page("gateway-doctor.md");
    for (written, here) in [
        ("127.0.0.1:8080", at(1)),
        ("127.0.0.1:8470", at(3)),
        ("127.0.0.1:9000", at(4)),
        ("127.0.0.1:8471", countersign.server.data_plane),
    ] {
        page = page.replace(written, &here.to_string());
    }
    let mut started = None;
    for (command, shown) in pages::commands(&page) {
        let told = run(&countersign, pages::words(&command)).await;
        assert_eq!(told.code, Some(0), "{command}: {}", told.all);
        for line in shown {
            assert!(told.all.contains(line.trim_end()), "{command} does not print {line:?}: {}", told.all);
        }
        if let Some(start) = told.all.lines().find_map(|line| line.strip_prefix("START")) {
            started = Some(Started::by(start.trim(), at(1)).await);
        }
    }
    assert!(started.is_some(), "the page starts a gateway");
}
