//! What is counted, for `/metrics` (OpenMetrics text). Labels come from closed lists of ours, never from a request: no
//! name of a token, account or address is in here, and no caller can make the lists grow.

use std::fmt;

use countersign_model::time::Timestamp;
use countersign_store::{Channel, Standing};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// The doors that are asked for every request of somebody's API.
const USUAL: [&str; 3] = ["verify", "forward_auth", "ext_authz"];
const ANSWERED: u16 = 200;
const ALLOWED: &str = "allowed";

/// The counters of a door for what it mostly answers.
struct Usual {
    answered: Counter,
    allowed: Counter,
}

/// Everything that is counted in this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    /// What nearly every request is counted by, held rather than looked up.
    usual: [Usual; USUAL.len()],
    connections: Family<ListenerLabels, Gauge>,
    refused: Family<ListenerLabels, Counter>,
    applied: Gauge,
    behind: Gauge,
    waiting: Family<ChannelLabels, Gauge>,
    dead: Family<ChannelLabels, Gauge>,
    oldest: Family<ChannelLabels, Gauge>,
    /// Credentials that came in a URL.
    pub misplaced_credentials: Counter,
    /// Asks of gateways we do not know.
    pub untrusted_gateways: Counter,
    anchor_failing_since: Gauge,
    /// Batches of uses that could not be written and wait.
    pub uses_delayed: Counter,
}

/// The counters of one listener.
#[derive(Clone)]
pub struct ListenerMetrics {
    /// Connections now.
    pub connections: Gauge,
    /// Connections turned away because their address had too many.
    pub refused: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    door: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    door: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let requests = Family::<RequestLabels, Counter>::default();
        let decisions = Family::<DecisionLabels, Counter>::default();
        let usual = USUAL.map(|door| Usual {
            answered: requests.get_or_create_owned(&RequestLabels { door, status: ANSWERED }),
            allowed: decisions.get_or_create_owned(&DecisionLabels { door, code: ALLOWED }),
        });
        let metrics = Self {
            requests,
            decisions,
            usual,
            connections: Family::default(),
            refused: Family::default(),
            applied: Gauge::default(),
            behind: Gauge::default(),
            waiting: Family::default(),
            dead: Family::default(),
            oldest: Family::default(),
            misplaced_credentials: Counter::default(),
            untrusted_gateways: Counter::default(),
            anchor_failing_since: Gauge::default(),
            uses_delayed: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered on the data plane", metrics.requests.clone());
        registry.register("decisions", "Decisions by code", metrics.decisions.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("connections_refused", "Connections turned away", metrics.refused.clone());
        registry.register("feed_applied_seq", "Number of the last change applied", metrics.applied.clone());
        registry.register(
            "feed_behind",
            "Committed changes that are not applied yet",
            metrics.behind.clone(),
        );
        registry.register("outbox_waiting", "Deliveries that wait", metrics.waiting.clone());
        registry.register("outbox_dead", "Deliveries that were given up", metrics.dead.clone());
        registry.register(
            "outbox_oldest_seconds",
            "Age of the oldest delivery that waits",
            metrics.oldest.clone(),
        );
        registry.register(
            "anchor_failing_since_seconds",
            "Unix time since when the anchor cannot be written; 0 where it can",
            metrics.anchor_failing_since.clone(),
        );
        let misplaced = metrics.misplaced_credentials.clone();
        registry.register("misplaced_credentials", "Credentials that came in a URL", misplaced);
        let untrusted = metrics.untrusted_gateways.clone();
        registry.register("untrusted_gateways", "Asks of gateways we do not know", untrusted);
        registry.register(
            "uses_delayed",
            "Batches of uses that wait to be written",
            metrics.uses_delayed.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// The counters of the listener with this name.
    pub fn listener(&self, listener: &'static str) -> ListenerMetrics {
        let labels = ListenerLabels { listener };
        ListenerMetrics {
            connections: self.connections.get_or_create_owned(&labels),
            refused: self.refused.get_or_create_owned(&labels),
        }
    }

    /// Counts an answered request.
    pub fn note_request(&self, door: &'static str, status: u16) {
        match self.usual(door).filter(|_| status == ANSWERED) {
            Some(usual) => usual.answered.inc(),
            None => self.requests.get_or_create(&RequestLabels { door, status }).inc(),
        };
    }

    /// Counts a decision by its code.
    pub fn note_decision(&self, door: &'static str, code: &'static str) {
        match self.usual(door).filter(|_| code == ALLOWED) {
            Some(usual) => usual.allowed.inc(),
            None => self.decisions.get_or_create(&DecisionLabels { door, code }).inc(),
        };
    }

    fn usual(&self, door: &str) -> Option<&Usual> {
        USUAL.iter().position(|usual| *usual == door).map(|index| &self.usual[index])
    }

    /// Notes how the outbox stands at this moment. A channel that is not named has nothing waiting and nothing dead.
    pub fn note_outbox(&self, standing: &[Standing], now: Timestamp) {
        for channel in [Channel::Mail, Channel::Webhook] {
            let found = standing.iter().find(|standing| standing.channel == channel);
            let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let age = found.and_then(|found| found.oldest).map_or(0, |at| now.unix_secs() - at.unix_secs());
            let labels = ChannelLabels { channel: channel.as_str() };
            self.waiting.get_or_create(&labels).set(found.map_or(0, |found| count(found.waiting)));
            self.dead.get_or_create(&labels).set(found.map_or(0, |found| count(found.dead)));
            self.oldest.get_or_create(&labels).set(age.max(0));
        }
    }

    /// Notes since when the anchor cannot be written.
    pub fn note_anchor(&self, failing_since: Option<Timestamp>) {
        let since = failing_since.map_or(0, |since| since.unix_millis().div_euclid(1_000));
        self.anchor_failing_since.set(since);
    }

    /// The text a scraper reads. `applied` and `head`: numbers of the last change applied here and committed.
    pub fn text(&self, applied: u64, head: u64) -> Result<String, fmt::Error> {
        self.applied.set(i64::try_from(applied).unwrap_or(i64::MAX));
        self.behind.set(i64::try_from(head.saturating_sub(applied)).unwrap_or(i64::MAX));
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
