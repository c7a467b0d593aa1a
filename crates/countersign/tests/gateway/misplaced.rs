//! T-24: a secret in a URL. It is refused, told to the operator without what was sent, and in no log.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    countersign::Countersign,
    gateways::Habit,
    stack::{Stack, each_with_its_own},
    table::PARAMETERS,
};

/// T-24, through every gateway.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_url_is_refused_and_in_no_log() {
    each_with_its_own(async |stack: Stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let wrong = "csign_00000000000000000000000000000000000000";
        for name in PARAMETERS {
            for path in [format!("/Advertisers/{}/Actions", token.sid), "/whoami".to_owned()] {
                let line = format!("GET {path}?first=1&{name}={}", token.secret);
                // Beside the right credential, beside a wrong one, and alone.
                let beside = stack.send(&line, &[("authorization", &token.basic())]).await;
                assert_eq!(beside.status, 401, "{name} {path}: {beside:?}");
                let alone = stack.send(&line, &[]).await;
                assert_eq!(alone.status, 401, "{name} {path}: {alone:?}");
            }
            let broken =
                stack.get(&format!("/Advertisers/{}/Actions?{name}={wrong}", token.sid), &token).await;
            assert_eq!(broken.status, 200, "what cannot be a secret is a parameter like any other");
        }
        assert!(stack.reached().iter().all(|reached| !reached.uri.contains(&token.secret)));

        let health = stack.countersign.server.health;
        let metrics = crate::client::send(health, crate::client::request("GET /metrics", &[])).await;
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        assert!(metrics.contains("countersign_misplaced_credentials_total 80"), "{metrics}");

        let logs = stack.running.logs();
        assert!(
            !stack.gateway.has(Habit::LogsPaths) || logs.contains("/whoami"),
            "the gateway logged the requests"
        );
        assert!(!logs.contains(&token.secret), "and not their queries");
        let Stack { countersign, running, .. } = stack;
        drop(running);
        let Countersign { installation, server, .. } = Arc::into_inner(countersign).unwrap();
        let (status, log) = server.terminate();
        assert!(status.success());
        let events = log.iter().filter(|line| line.contains("a credential came in a URL")).count();
        assert_eq!(events, 80);
        assert!(log.iter().all(|line| !line.contains(&token.secret)), "Countersign's log");
        assert!(log.iter().any(|line| line.contains("[redacted]")));
        // The trail tells of it, summed, also without what was sent.
        let server = installation.serve();
        let trail = installation.run(&["audit", "export"]);
        let trail = String::from_utf8_lossy(&trail.stdout).into_owned();
        let counted: u64 = trail
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|entry| entry["action"] == "credential.misplaced")
            .filter_map(|entry| entry["after"]["attempts"].as_u64())
            .sum();
        assert_eq!(counted, 80, "{trail}");
        assert!(!trail.contains(&token.secret));
        drop(server);
    })
    .await;
}
