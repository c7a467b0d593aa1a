//! The gateway doctor: drives a live gateway with requests that must not pass and says which did. It can stand at both
//! sides of the gateway, as the back end that records and as a relay in front of the data plane that it breaks. It sends a
//! bounded number of requests, to the given gateway only, and shows no secret.

mod about;
mod asked;
mod checks;
mod exchange;
mod platform;
mod recorder;
mod relay;
mod report;
mod stand_in;
mod target;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use countersign_model::probe::{ProbeCheck, ProbeVerdict};
use tokio::time::{Instant, interval};
use zeroize::Zeroizing;

use crate::failure::Failure;
pub use about::KINDS;
pub use platform::Platform;
pub use recorder::Recorder;
pub use relay::{Behaviour, Relay};
pub use report::{Checked, Finding, Report};
pub use target::Target;

use about::about;
use exchange::{Answer, Wire};
use recorder::Reached;

/// Most requests one probe sends: three times what it needs.
const REQUESTS_MAX: usize = 3_000;
/// How long a gateway may take to find out that Countersign is back.
const RECOVERS_WITHIN: Duration = Duration::from_secs(30);
/// How long a gateway may listen before it asks and gets answers: some read what to do afterwards.
const SETTLES_WITHIN: Duration = Duration::from_secs(5);
/// The pause between two tries until then.
const TRIES_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Longest piece of what a gateway said that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 200;

/// A probe of one gateway.
pub struct Doctor {
    /// Where the gateway is and what may be asked there.
    pub target: Target,
    /// The Auth Token of a token that may call the path.
    pub secret: Zeroizing<String>,
    /// In every request of this probe, so that others are told apart.
    pub mark: String,
    /// The back end, where the gateway sends to us.
    pub recorder: Option<Recorder>,
    /// The relay, where the gateway asks us.
    pub relay: Option<Relay>,
    /// Tokens of our own, where the management API makes them.
    pub platform: Option<Platform>,
    /// What kind of gateway it is, where that is known.
    pub kind: Option<String>,
    /// Whether the back end is to get the Auth Token.
    pub forwards_credential: bool,
    /// How many requests were sent.
    pub sent: AtomicUsize,
}

/// Which credential a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// None.
    Nothing,
    /// A good one.
    Good,
    /// One of the right form that nobody has.
    Wrong,
    /// One that may be used from an address nobody has only.
    Elsewhere,
}

/// A request to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q> {
    method: &'q str,
    target: &'q str,
    with: With,
    /// Whole header lines, as they are.
    headers: &'q str,
    /// What follows the head.
    rest: &'q str,
}

/// What became of a request.
pub(crate) struct Outcome {
    answers: Vec<Answer>,
    reached: Vec<Reached>,
    took: Duration,
    proven: bool,
}

/// Why a check says nothing.
#[derive(Debug)]
pub(crate) enum Unchecked {
    /// Something was not given, or does not apply.
    Needs(String),
    /// The probe cannot go on.
    Failed(Failure),
}

impl From<Failure> for Unchecked {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<'q> Question<'q> {
    /// A GET.
    pub(crate) fn get(target: &'q str, with: With) -> Self {
        Self { method: "GET", target, with, headers: "", rest: "" }
    }
}

impl Outcome {
    /// The status the caller saw; 0 where there was no answer.
    fn status(&self) -> u16 {
        self.answers.first().map_or(0, |answer| answer.status)
    }

    /// Whether it was let through: it reached the back end, or, where nobody looks there, it was answered as if.
    fn passed(&self) -> bool {
        !self.reached.is_empty() || (!self.proven && (200..300).contains(&self.status()))
    }

    /// What happened, in few words that need no translation.
    fn told(&self) -> String {
        let status = match self.status() {
            0 => "no answer".to_owned(),
            status => status.to_string(),
        };
        match self.reached.first() {
            Some(reached) => format!("{status}; back end: {} {}", reached.method, reached.target),
            None => status,
        }
    }
}

impl Doctor {
    /// Runs every check. `hear` is told before each.
    pub async fn run(&self, hear: &mut (dyn FnMut(ProbeCheck) + Send)) -> Result<Vec<Checked>, Failure> {
        self.look_first().await?;
        let mut all = Vec::new();
        for check in ProbeCheck::ALL {
            hear(check);
            let (begun, before) = (Instant::now(), self.sent.load(Ordering::Relaxed));
            let found = checks::run(self, check).await;
            if let Some(relay) = &self.relay {
                relay.behave(Behaviour::Passes).await?;
                self.recover().await?;
            }
            let (verdict, findings, needs) = match found {
                Ok(findings) if findings.is_empty() => (ProbeVerdict::Shut, findings, None),
                Ok(findings) => (ProbeVerdict::Found, findings, None),
                Err(Unchecked::Needs(needs)) => (ProbeVerdict::NotChecked, Vec::new(), Some(needs)),
                Err(Unchecked::Failed(failure)) => return Err(failure),
            };
            let requests = self.sent.load(Ordering::Relaxed) - before;
            all.push(Checked { check, verdict, findings, needs, requests, took: begun.elapsed() });
        }
        Ok(all)
    }

    /// What must be so before anything can be said: an honest request passes, and goes where it was said to go.
    async fn look_first(&self) -> Result<(), Failure> {
        let (begun, mut again) = (Instant::now(), interval(TRIES_AGAIN_AFTER));
        let is_unasked = || self.relay.as_ref().is_some_and(|relay| relay.connections() == 0);
        let outcome = loop {
            again.tick().await;
            let outcome = self.send(Question::get(&self.target.path, With::Good)).await?;
            let is_ready = !is_unasked() && !(502..=504).contains(&outcome.status());
            if is_ready || begun.elapsed() > SETTLES_WITHIN {
                break outcome;
            }
        };
        if is_unasked() {
            return Err(Failure::unavailable(
                "the gateway does not ask at --ask-at; set its data plane to that address, and ours with --data-plane",
            ));
        }
        let (status, path) = (outcome.status(), &self.target.path);
        let advice = match status {
            0 => "nothing answers there; is the gateway running?",
            200..300 if self.recorder.is_some() && outcome.reached.is_empty() => {
                "it was allowed, but did not come to --back-end-at; set the gateway's back end to that address"
            }
            200..300 => return Ok(()),
            401 => "the Auth Token is not known; give another with --token-file",
            403 => "this token may not call it; give another --path or another token",
            503 => "the gateway says that Countersign is away, or Countersign does not know the gateway",
            _ if !outcome.reached.is_empty() => return Ok(()),
            _ => "give a --path that the token may call by GET",
        };
        Err(Failure::unavailable(format!(
            "an honest request cannot pass: GET {path}: {}: {advice}",
            self.shown(&outcome.told())
        )))
    }

    /// Waits until an honest request passes again.
    async fn recover(&self) -> Result<(), Failure> {
        let (begun, mut again) = (Instant::now(), interval(TRIES_AGAIN_AFTER));
        loop {
            again.tick().await;
            let outcome = self.send(Question::get(&self.target.path, With::Good)).await?;
            if outcome.passed() || (200..300).contains(&outcome.status()) {
                return Ok(());
            }
            if begun.elapsed() > RECOVERS_WITHIN {
                return Err(Failure::unavailable(format!(
                    "the gateway does not come back after Countersign was away: {}; reload it",
                    self.shown(&outcome.told())
                )));
            }
        }
    }

    /// Sends a request on a connection of its own, and looks what reached the back end.
    pub(crate) async fn send(&self, question: Question<'_>) -> Result<Outcome, Failure> {
        let mut wire = self.connect().await?;
        self.send_on(&mut wire, question, false).await
    }

    /// A connection to the gateway.
    pub(crate) async fn connect(&self) -> Result<Wire, Failure> {
        let address = self.target.address();
        Wire::open(&address)
            .await
            .map_err(|cause| Failure::unavailable(format!("cannot reach the gateway at {address}: {cause}")))
    }

    /// Sends a request on this connection. With `keep` the connection is kept for another.
    pub(crate) async fn send_on(
        &self,
        wire: &mut Wire,
        question: Question<'_>,
        keep: bool,
    ) -> Result<Outcome, Failure> {
        if self.sent.fetch_add(1, Ordering::Relaxed) >= REQUESTS_MAX {
            return Err(Failure::unavailable(format!("{REQUESTS_MAX} requests were sent; that is enough")));
        }
        if let Some(recorder) = &self.recorder {
            // What came late belongs to what was asked before, and was judged then.
            drop(recorder.take());
        }
        if let Some(relay) = &self.relay {
            relay.forget();
        }
        let bytes = Zeroizing::new(self.written(question, keep));
        let replies = wire.exchange(bytes.as_bytes(), keep).await;
        let reached = self.recorder.as_ref().map(Recorder::take);
        Ok(Outcome {
            proven: reached.is_some(),
            reached: reached.unwrap_or_default(),
            answers: replies.answers,
            took: replies.took,
        })
    }

    fn written(&self, question: Question<'_>, keep: bool) -> String {
        let Question { method, target, with, headers, rest } = question;
        let authorization = self
            .secret_of(with)
            .map(|secret| format!("Authorization: Bearer {secret}\r\n"))
            .unwrap_or_default();
        // The caller's own `Connection` line is the only one, where it has one.
        let close = if keep || headers.starts_with("Connection:") { "" } else { "Connection: close\r\n" };
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n{authorization}{headers}{close}\r\n{rest}",
            self.target.authority, self.mark
        )
    }

    /// The Auth Token of a request.
    pub(crate) fn secret_of(&self, with: With) -> Option<&str> {
        match with {
            With::Nothing => None,
            With::Good => Some(&self.secret),
            With::Wrong => Some("csign_00000000000000000000000000000000000000"),
            With::Elsewhere => self.platform.as_ref().map(|platform| platform.elsewhere.secret.as_str()),
        }
    }

    /// A text of the gateway as it may be shown: short, on one line, and without secrets.
    pub(crate) fn shown(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let guests = self.platform.iter().flat_map(Platform::secrets);
        for secret in guests.chain([self.secret.as_str()]) {
            text = text.replace(secret, "[Auth Token]");
        }
        text.chars().take(SHOWN_CHARS_MAX).map(plain).collect()
    }
}

/// A character as it may be shown: none that steers a terminal or turns the order of what is read around (UAX #9).
fn plain(letter: char) -> char {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    if turns || letter.is_control() { '\u{fffd}' } else { letter }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_gateway_said_steers_no_terminal_and_turns_no_line_around() {
        let said = "a\u{1b}[2J\rb\u{202e}c\u{2066}d\u{2069}e\u{200f}\u{61c}é倉";
        let shown: String = said.chars().map(plain).collect();
        assert_eq!(shown, "a\u{fffd}[2J\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}\u{fffd}é倉");
    }
}
