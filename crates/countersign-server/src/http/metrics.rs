//! What is counted, for `/metrics` (OpenMetrics text). Labels come from closed lists of ours, never from a request: no
//! name of a token, account or address is in here, and no caller can make the lists grow.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Everything that is counted in this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    connections: Family<ListenerLabels, Gauge>,
    refused: Family<ListenerLabels, Counter>,
    applied: Gauge,
    behind: Gauge,
    /// Credentials that came in a URL.
    pub misplaced_credentials: Counter,
    /// Asks of gateways we do not know.
    pub untrusted_gateways: Counter,
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

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let metrics = Self {
            requests: Family::default(),
            decisions: Family::default(),
            connections: Family::default(),
            refused: Family::default(),
            applied: Gauge::default(),
            behind: Gauge::default(),
            misplaced_credentials: Counter::default(),
            untrusted_gateways: Counter::default(),
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
        self.requests.get_or_create(&RequestLabels { door, status }).inc();
    }

    /// Counts a decision by its code.
    pub fn note_decision(&self, door: &'static str, code: &'static str) {
        self.decisions.get_or_create(&DecisionLabels { door, code }).inc();
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
