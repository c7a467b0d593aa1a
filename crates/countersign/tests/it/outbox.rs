//! The outbox through power cuts: whatever was answered is told, at least once, to a receiver that is really there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    installation::{Installation, Server},
    platform::{Token, brand_account, operating, platform_credential, token},
};

/// Power cuts in an ordinary run; `COUNTERSIGN_TEST_FULL=1` makes it ten times as many.
const CUTS: u64 = 20;
const WRITERS: usize = 4;
/// Deeds of one writer between two cuts: enough that deliveries are always on their way.
const DEEDS: usize = 12;
/// Nothing may take longer; generous, because machines are slow when they are busy.
const WITHIN: Duration = Duration::from_mins(3);

/// A receiver of webhooks that outlives the servers it hears from.
struct Receiver {
    port: u16,
    heard: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Receiver {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<(Mutex<Vec<String>>, Condvar)> = Arc::default();
        let shared = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || receive(&stream, &shared));
            }
        });
        Self { port, heard }
    }

    fn count(&self) -> usize {
        self.heard.0.lock().unwrap().len()
    }

    /// Waits until so many messages have arrived in all.
    fn wait_for(&self, count: usize) {
        let heard = self.heard.0.lock().unwrap();
        let (heard, waited) =
            self.heard.1.wait_timeout_while(heard, WITHIN, |heard| heard.len() < count).unwrap();
        assert!(!waited.timed_out(), "only {} messages of {count} arrived", heard.len());
    }
}

/// Reads one request, notes its `webhook-id`, and only then says that it has it.
fn receive(stream: &TcpStream, heard: &(Mutex<Vec<String>>, Condvar)) -> Option<()> {
    stream.set_read_timeout(Some(WITHIN)).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some(("webhook-id", value)) => id = Some(value.to_owned()),
            Some(("content-length", value)) => length = value.parse().ok()?,
            None if line.trim().is_empty() => break,
            Some(_) | None => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    heard.0.lock().unwrap().push(id?);
    heard.1.notify_all();
    let mut answer = stream;
    answer.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok()
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Disables and enables until it has done its share or the connection breaks. Answers how many of each were answered.
async fn write(mut client: Client, token: Token, disabled: bool) -> (BTreeMap<&'static str, u64>, bool) {
    let mut answered = BTreeMap::new();
    let mut state = disabled;
    for _ in 0..DEEDS {
        let (deed, event) = if state { ("enable", "token.enabled") } else { ("disable", "token.disabled") };
        let path = format!("/api/v1/accounts/{}/tokens/{}/{deed}", token.account, token.id);
        let Some(answer) = client.try_ask(Method::POST, &path, Some(&json!({}))).await else { break };
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        *answered.entry(event).or_default() += 1;
        state = !state;
    }
    (answered, state)
}

/// What the outbox holds of deliveries to webhooks, by the part of their ids that names the notice.
fn delivered(installation: &Installation) -> Vec<(String, String, String, String)> {
    let listed = installation.json(&["outbox", "list", "--channel", "webhook"]);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = listed.as_array().unwrap();
    rows.iter()
        .map(|row| (notice(&text(row, "id")), text(row, "token_id"), text(row, "event"), text(row, "state")))
        .collect()
}

/// The last four characters of a delivery's id number the recipients of its notice.
fn notice(id: &str) -> String {
    let body = id.split_once('_').unwrap().1;
    body[..body.len() - 4].to_owned()
}

async fn wait_until_empty(server: &Server, credential: &str) {
    let mut client = operating(server, credential).await;
    let emptied = async {
        loop {
            let outbox = client.ask(Method::GET, "/api/v1/outbox", None).await.body;
            if outbox["webhook"]["waiting"] == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(WITHIN, emptied).await.expect("the outbox is not emptied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_however_often_the_power_is_cut() {
    let installation = Installation::empty();
    let receiver = Receiver::open();
    installation.write(
        "countersign.toml",
        &format!(
            "[webhooks]\nplain_http = \"yes\"\nports = [\"{}\"]\nallow_networks = [\"127.0.0.0/8\"]\n",
            receiver.port
        ),
    );
    let mut server = installation.serve_with(&["--config", "countersign.toml"]);
    brand_account(&installation, &server).await;
    let credential = platform_credential(&installation);
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let events = ["--event", "token.disabled", "--event", "token.enabled"];
    installation.json(&[&["webhook", "create", &url], events.as_slice()].concat());
    let tokens: Vec<Token> = (0..WRITERS).map(|n| token(&installation, &format!("Token {n}"))).collect();

    let cuts =
        if std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|full| full == "1") { CUTS * 10 } else { CUTS };
    let mut dice = Dice(0x00c0_ffee);
    let mut answered: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for _ in 0..cuts {
        let mut writers = Vec::new();
        for token in &tokens {
            let shown = installation.json(&["token", "show", &token.sid]);
            let client = operating(&server, &credential).await;
            writers.push(tokio::spawn(write(client, token.clone(), shown["state"] == "disabled")));
        }
        // The cut comes after a random number of further messages: between any two steps of any delivery.
        let point =
            receiver.count() + 1 + usize::try_from(dice.below(WRITERS as u64 * DEEDS as u64 / 2)).unwrap();
        receiver.wait_for(point);
        server.kill();
        for (token, writer) in tokens.iter().zip(writers) {
            for (event, count) in writer.await.unwrap().0 {
                *answered.entry((token.id.clone(), event)).or_default() += count;
            }
        }
        server = installation.serve_with(&["--config", "countersign.toml"]);
    }
    wait_until_empty(&server, &credential).await;

    let rows = delivered(&installation);
    let mut posted: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for (_, token, event, state) in &rows {
        assert_eq!(state, "sent", "{token} {event}");
        *posted.entry((token.clone(), event.as_str())).or_default() += 1;
    }
    for (key, count) in &answered {
        let posted = posted.get(key).copied().unwrap_or_default();
        let most = count + cuts;
        assert!((*count..=most).contains(&posted), "{key:?}: {count} were answered and {posted} posted");
    }
    let heard = receiver.heard.0.lock().unwrap();
    let known: BTreeSet<String> = heard.iter().map(|id| notice(id)).collect();
    let lost: Vec<_> = rows.iter().filter(|(notice, ..)| !known.contains(notice)).collect();
    assert!(lost.is_empty(), "{} of {} never arrived: {lost:?}", lost.len(), rows.len());
    let deeds: u64 = answered.values().sum();
    println!(
        "{cuts} power cuts: {deeds} deeds were answered, {} notices delivered in {} messages",
        rows.len(),
        heard.len()
    );
    assert!(heard.len() >= rows.len());
    assert!(deeds >= cuts, "too little happened between the cuts");
}
