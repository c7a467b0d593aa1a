//! 740 URLs that must not lead anywhere protected, with names that are answered as the list says: nobody connects. The
//! same list without a guard does connect, so the count of nobody means something.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign_model::time::Timestamp;
use countersign_server::{
    outcome::SendOutcome,
    webhooks::{Message, Names, Policy, Refusal, Sender},
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::json;

use super::listener::Listener;

/// What is to be expected of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    Here,
    There,
    Mixed,
    Flips,
}

pub(super) struct Row {
    pub(super) mark: Mark,
    pub(super) url: String,
    /// What the name is answered: the first time, the second time, and so on; then the last again.
    pub(super) answers: Vec<Vec<IpAddr>>,
}

pub(super) fn corpus(port: u16) -> Vec<Row> {
    let rows: Vec<Row> = include_str!("corpus.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('\t');
            let mark = match fields.next().unwrap() {
                "here" => Mark::Here,
                "there" => Mark::There,
                "mixed" => Mark::Mixed,
                "flips" => Mark::Flips,
                other => panic!("{other}"),
            };
            let url = plain(&fields.next().unwrap_or_default().replace("{port}", &port.to_string()));
            let addresses = |text: &str| text.split(',').map(|address| address.parse().unwrap()).collect();
            let answers = fields.next().map(|text| text.split('|').map(addresses).collect());
            Row { mark, url, answers: answers.unwrap_or_default() }
        })
        .collect();
    assert!(rows.len() >= 400, "only {} URLs", rows.len());
    rows
}

/// `\n`, `\t`, `\xHH` and `\uHHHH` as the characters they stand for; any other backslash is one.
fn plain(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hex = |digits: usize| {
            let code = u32::from_str_radix(part.get(1..=digits)?, 16).ok()?;
            Some((char::from_u32(code)?, part.get(digits + 1..)?))
        };
        let read = match part.chars().next() {
            Some('n') => Some(('\n', &part[1..])),
            Some('t') => Some(('\t', &part[1..])),
            Some('x') => hex(2),
            Some('u') => hex(4),
            _ => None,
        };
        match read {
            Some((letter, rest)) => plain.extend([letter.to_string().as_str(), rest]),
            None => plain.extend(["\\", part]),
        }
    }
    plain
}

/// Answers as one row says, and counts how often it was asked.
struct Told {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Told {
    fn of(row: &Row) -> Arc<Self> {
        Arc::new(Self { answers: row.answers.clone(), asked: AtomicUsize::new(0) })
    }

    fn answer(&self) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or(self.answers.last());
        answer.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn guarded(row: &Row, port: u16) -> (Sender, Arc<Told>) {
    let told = Told::of(row);
    let names = Arc::clone(&told);
    let policy = Policy {
        plain_http: true,
        ports: vec![port],
        names: Names::Told(Arc::new(move |_: &str| names.answer())),
        ..Policy::default()
    };
    (Sender::new(policy), told)
}

pub(super) async fn send(sender: &Sender, url: &str) -> SendOutcome {
    let payload = json!({ "type": "webhook.test" });
    let message = Message { id: "ntc_1", at: Timestamp::from_unix_secs(1), payload: &payload };
    sender.send(url, &[], &message).await
}

#[tokio::test]
async fn nobody_connects_to_what_is_protected() {
    let listener = Listener::with_status(200);
    let mut counts: HashMap<Mark, usize> = HashMap::new();
    for row in corpus(listener.port) {
        let (sender, told) = guarded(&row, listener.port);
        let entered = sender.guard().check(&row.url).await;
        // A name that is innocent when it is entered is the one case that only the second look can find.
        assert_eq!(entered.is_ok(), row.mark == Mark::Flips, "{}: {entered:?}", row.url);
        let outcome = send(&sender, &row.url).await;
        let refused = matches!(outcome, SendOutcome::Refused { code: None, .. });
        let unknown = row.answers.is_empty() && matches!(outcome, SendOutcome::Later { code: None, .. });
        assert!(refused || unknown, "{}: {outcome:?}", row.url);
        if row.mark == Mark::Flips {
            assert_eq!(told.asked.load(Ordering::SeqCst), 2, "{}: looked up once for each use", row.url);
        }
        *counts.entry(row.mark).or_default() += 1;
    }
    // One connection that is allowed, to see that the listener listens and that nothing waits to be counted.
    let own = Policy {
        plain_http: true,
        ports: vec![listener.port],
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Policy::default()
    };
    let outcome = send(&Sender::new(own), &format!("http://127.0.0.1:{}/", listener.port)).await;
    assert_eq!(outcome, SendOutcome::Sent { code: Some(200) });
    assert_eq!(listener.connections(), 1, "connections to protected addresses");
    println!("{counts:?}: no connection");
}

/// Looks names up as the row says and asks nobody whether it may.
struct Unguarded(Mutex<Arc<Told>>, u16);

impl Resolve for Unguarded {
    fn resolve(&self, _: Name) -> Resolving {
        let (answer, port) = (self.0.lock().unwrap().answer(), self.1);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> =
                answer?.into_iter().map(|address| SocketAddr::new(address, port)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[tokio::test]
async fn without_a_guard_the_same_list_connects() {
    let listener = Listener::with_status(200);
    let (mut tried, mut silent) = (0, Vec::new());
    for row in corpus(listener.port).into_iter().filter(|row| row.mark == Mark::Here) {
        let names = Unguarded(Mutex::new(Told::of(&row)), listener.port);
        let client = reqwest::Client::builder()
            .dns_resolver(names)
            .no_proxy()
            .tls_certs_only([])
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        let before = listener.connections();
        let _ = client.post(&row.url).body("{}").send().await;
        tried += 1;
        if listener.connections() == before {
            silent.push(row.url);
        }
    }
    assert!(silent.is_empty(), "{} of {tried} connect nowhere: {silent:#?}", silent.len());
    assert!(tried >= 200, "only {tried} were tried");
}

#[tokio::test]
async fn the_way_of_the_machine_is_guarded_too() {
    let policy = Policy { plain_http: true, ports: vec![443], ..Policy::default() };
    let sender = Sender::new(policy);
    let refusal = sender.guard().check("http://localhost:443/").await.unwrap_err();
    assert_eq!(refusal, Refusal::Name { transient: false });
    assert!(matches!(send(&sender, "http://localhost:443/").await, SendOutcome::Refused { .. }));
}
