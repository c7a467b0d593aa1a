//! Power cuts: what was answered is there afterwards, and the audit trail is whole.

use http::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    installation::Installation,
    platform::{Token, brand_account, operating, platform_credential, token},
};

const WRITERS: usize = 8;

/// Disables and enables until the connection breaks. Answers the states that the token may be in: what was answered
/// last, or what was asked for and not answered any more.
async fn write(mut client: Client, token: Token) -> (u64, Vec<&'static str>) {
    let nothing: Value = json!({});
    let (mut answered, mut state) = (0, "enabled");
    loop {
        let (deed, then) = if state == "enabled" { ("disable", "disabled") } else { ("enable", "enabled") };
        let path = format!("/api/v1/accounts/{}/tokens/{}/{deed}", token.account, token.id);
        match client.try_ask(Method::POST, &path, Some(&nothing)).await {
            Some(answer) => {
                assert_eq!(answer.status, 200, "{:?}", answer.body);
                (answered, state) = (answered + 1, then);
            }
            None => return (answered, vec![state, then]),
        }
    }
}

/// The number of the newest entry of the audit trail.
async fn newest_entry(client: &mut Client) -> u64 {
    let page = client.ask(Method::GET, "/api/v1/audit?limit=1", None).await;
    page.body["items"][0]["number"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_answered_is_there_after_a_power_cut() {
    let installation = Installation::empty();
    let mut server = installation.serve();
    brand_account(&installation, &server).await;
    let credential = platform_credential(&installation);
    let tokens: Vec<Token> =
        (0..WRITERS).map(|number| token(&installation, &format!("Token {number}"))).collect();
    for round in 0..3 {
        let mut writers = Vec::new();
        for token in &tokens {
            writers.push(tokio::spawn(write(operating(&server, &credential).await, token.clone())));
        }
        // Many writes must have been answered before the cut: each is an entry, and entries are numbered.
        let mut watcher = operating(&server, &credential).await;
        let first = newest_entry(&mut watcher).await;
        while newest_entry(&mut watcher).await < first + 200 {}
        server.kill();
        let mut outcomes = Vec::new();
        for writer in writers {
            outcomes.push(writer.await.unwrap());
        }
        server = installation.serve();
        let mut answered = 0;
        for (token, (count, possible)) in tokens.iter().zip(outcomes) {
            let shown = installation.json(&["token", "show", &token.sid]);
            let state = shown["state"].as_str().unwrap();
            assert!(
                possible.contains(&state),
                "round {round}: {} is {state}, may be {possible:?}",
                token.sid
            );
            answered += count;
            installation.json(&["token", "enable", &token.sid]);
        }
        assert!(answered > 0, "round {round}: nothing was answered before the cut");
        let finding = installation.json(&["audit", "verify"]);
        assert_eq!(finding["whole"], true, "round {round}: {finding}");
    }
}
