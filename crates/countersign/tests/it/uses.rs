//! Counts of uses over the end of a process, whatever it is: exact after a kill, never more than was asked, and a file of
//! counters that cannot be trusted is left out without a crash.

use std::fs;

use serde_json::Value;

use crate::{
    client::Client,
    installation::{Installation, Server},
    platform::{Token, ask_of, asking, brand_account, gateway, token},
};

const CLIENTS: usize = 8;
const FILE: &str = "data/uses.counters";

/// What clients asked and were answered.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    allowed: u64,
    /// Asked, and not answered any more: counted or not.
    open: u64,
}

/// Asks until the connection breaks.
async fn ask_on(mut client: Client, ask: Value, told: tokio::sync::watch::Sender<u64>) -> Asked {
    let mut asked = Asked::default();
    while let Some(answer) = client.try_ask(http::Method::POST, "/v1/verify", Some(&ask)).await {
        assert_eq!(answer.body["allowed"], true, "{:?}", answer.body);
        asked.allowed += 1;
        told.send_replace(asked.allowed);
    }
    Asked { open: 1, ..asked }
}

/// Load from all clients until the server is killed with so many answers given; what each token may have been used.
async fn killed_under_load(server: &mut Server, gateway: &str, tokens: &[Token], answers: u64) -> Vec<Asked> {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let (told, hear) = tokio::sync::watch::channel(0);
        let client = asking(server, gateway).await;
        clients.push((tokio::spawn(ask_on(client, ask_of(&tokens[number % tokens.len()]), told)), hear));
    }
    for (_, hear) in &mut clients {
        hear.wait_for(|told| *told >= answers).await.unwrap();
    }
    server.kill();
    let mut asked = vec![Asked::default(); tokens.len()];
    for (number, (client, _)) in clients.into_iter().enumerate() {
        let one = client.await.unwrap();
        let all = &mut asked[number % tokens.len()];
        (all.allowed, all.open) = (all.allowed + one.allowed, all.open + one.open);
    }
    asked
}

/// How often the store says a token was used; read from the file of the database, after the server has ended.
fn stored(installation: &Installation, token: &Token) -> u64 {
    let database = rusqlite::Connection::open(installation.path("data/countersign.db")).unwrap();
    let sql = "select s.uses from secrets s join tokens t on t.id = s.token_id where t.sid = ?1";
    let uses: i64 = database.query_row(sql, [&token.sid], |row| row.get(0)).unwrap();
    uses.cast_unsigned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_exact_after_every_kill() {
    let installation = Installation::empty();
    let mut server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let tokens: Vec<Token> = (0..3).map(|number| token(&installation, &format!("Token {number}"))).collect();
    let mut sums = vec![Asked::default(); tokens.len()];
    // Some kills come before the first second is over, some after a few reports.
    for answers in [50, 400, 3_000, 20] {
        let asked = killed_under_load(&mut server, &gateway, &tokens, answers).await;
        for (sum, one) in sums.iter_mut().zip(asked) {
            (sum.allowed, sum.open) = (sum.allowed + one.allowed, sum.open + one.open);
        }
        server = installation.serve();
    }
    let (status, _) = server.terminate();
    assert!(status.success());
    for (token, sum) in tokens.iter().zip(&sums) {
        let uses = stored(&installation, token);
        println!(
            "{uses} uses are stored, {} were answered and {} were open at a kill",
            sum.allowed, sum.open
        );
        assert!((sum.allowed..=sum.allowed + sum.open).contains(&uses), "{uses} stored: {sum:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_trusted_is_left_out() {
    let installation = Installation::empty();
    let mut server = installation.serve();
    brand_account(&installation, &server).await;
    let (gateway, token) = (gateway(&installation), token(&installation, "Reader"));
    let other = Installation::empty();
    other.serve().terminate();
    let foreign = fs::read(other.path(FILE)).unwrap();
    let mut allowed = 0;
    for damage in
        ["nothing", "another installation's", "empty", "cut in its header", "cut in a line", "torn lines"]
    {
        let asked = killed_under_load(&mut server, &gateway, std::slice::from_ref(&token), 30).await[0];
        let path = installation.path(FILE);
        let left = fs::read(&path).unwrap();
        match damage {
            "nothing" => {}
            "another installation's" => fs::write(&path, &foreign).unwrap(),
            "empty" => fs::write(&path, "").unwrap(),
            "cut in its header" => fs::write(&path, &left[..40]).unwrap(),
            // Its first line, which is the only one that is used, is half there.
            "cut in a line" => fs::write(&path, &left[..4_096 + 64]).unwrap(),
            _ => {
                let mut torn = left;
                // The SIDs of all lines.
                torn[4_096..].chunks_mut(128).for_each(|line| line[64..].fill(7));
                fs::write(&path, torn).unwrap();
            }
        }
        server = installation.serve();
        if damage == "nothing" {
            allowed = asked.allowed;
        }
    }
    server.wait_for_log("torn");
    let (status, _) = server.terminate();
    assert!(status.success());
    let uses = stored(&installation, &token);
    println!("{uses} uses are stored, {allowed} were answered before a file was damaged");
    assert!(uses >= allowed, "what was whole is written");
}
