//! Attempts that were refused, in the audit trail: one entry each where we know who it was; of callers we do not know, one
//! per address and minute with a count, and at most so many a minute in all, so that a flood cannot fill the trail.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use countersign_model::{actor::Actor, address::counting_unit, id::RequestId, time::Timestamp};
use countersign_store::{AuditDraft, Outcome, Write};
use serde_json::{Value, json};

use crate::{
    app::App,
    caller::{Caller, Deed},
    error::{Error, Kind},
    limits::ATTEMPT_ENTRIES_PER_MINUTE,
    rights::Operator,
};

/// Attempts by callers we do not know, by minute, address and what was tried.
#[derive(Default)]
pub struct Attempts {
    pending: Mutex<BTreeMap<Sum, u64>>,
}

/// What is summed. The address is `None` where it is not known, or where the minute has no room for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sum {
    minute: i64,
    action: &'static str,
    address: Option<IpAddr>,
}

impl Attempts {
    /// Counts an attempt.
    pub fn note(&self, action: &'static str, address: Option<IpAddr>, now: Timestamp) {
        let minute = now.unix_secs().div_euclid(60);
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = Sum { minute, action, address: address.map(counting_unit) };
        let this_minute = pending.keys().filter(|sum| sum.minute == minute).count();
        // Room is kept for the entries that stand for all others, one for each kind of attempt.
        if !pending.contains_key(&sum) && this_minute + KINDS > ATTEMPT_ENTRIES_PER_MINUTE {
            sum.address = None;
        }
        *pending.entry(sum).or_default() += 1;
    }

    /// Takes out the sums of the minutes that are over, or all.
    fn take(&self, before_minute: i64) -> Vec<(Sum, u64)> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = pending.split_off(&Sum { minute: before_minute, action: "", address: None });
        std::mem::replace(&mut *pending, rest).into_iter().collect()
    }

    fn put_back(&self, sums: &[(Sum, u64)]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, count) in sums {
            *pending.entry(*sum).or_default() += count;
        }
    }
}

/// A sign-in, a password or a code that was wrong.
pub const FAILED_SIGN_IN: &str = "session.refused";
/// A management request without a credential that is anybody's.
pub const UNKNOWN_CALLER: &str = "access.unknown";
/// A credential in a URL.
pub const MISPLACED: &str = "credential.misplaced";
/// How many kinds of attempt there are.
const KINDS: usize = 3;

/// Writes the sums of the minutes that are over into the audit trail. The node calls it every few seconds, and with
/// `everything` when it stops. What cannot be written is kept for the next time.
pub async fn flush(app: &App, everything: bool) -> Result<(), Error> {
    let now = app.clock.wall();
    let minute = if everything { i64::MAX } else { now.unix_secs().div_euclid(60) };
    let sums = app.throttle.attempts.take(minute);
    for (index, (sum, count)) in sums.iter().enumerate() {
        if let Err(error) = app.store.commit(Write::new(entry(*sum, *count, now))).await {
            app.throttle.attempts.put_back(&sums[index..]);
            return Err(error.into());
        }
    }
    Ok(())
}

fn entry(sum: Sum, count: u64, now: Timestamp) -> AuditDraft {
    AuditDraft {
        at: now,
        actor: Actor::Anonymous,
        actor_label: String::new(),
        client_address: sum.address.map(|address| address.to_string()).unwrap_or_default(),
        request_id: None,
        account: None,
        action: sum.action,
        subject: String::new(),
        subject_label: String::new(),
        outcome: Outcome::Refused,
        before: Value::Null,
        after: json!({ "attempts": count, "minute": Timestamp::from_unix_secs(sum.minute * 60).to_string() }),
    }
}

/// How a management request was refused.
#[derive(Clone, Copy)]
pub struct Refusal<'r> {
    /// What the caller is told.
    pub error: &'r Error,
    /// Whether a right was asked for and not there; what is told may be that there is nothing.
    pub denied: bool,
    /// Method and path pattern.
    pub deed: (&'r str, &'r str),
}

/// Notes the refusal of a management request.
pub async fn note_refusal(
    app: &App,
    caller: Option<&Caller>,
    (request_id, address): (RequestId, Option<IpAddr>),
    refusal: Refusal<'_>,
) {
    match caller {
        Some(caller) if refusal.denied || refusal.error.kind == Kind::Forbidden => {
            let draft = AuditDraft { request_id: Some(request_id), ..refused(app, caller, refusal) };
            if let Err(error) = app.store.commit(Write::new(draft)).await {
                tracing::error!(%error, "cannot audit a refused attempt");
            }
        }
        Some(_) => {}
        None => {
            if let Some(action) = attempt(refusal.error) {
                app.throttle.attempts.note(action, address, app.clock.wall());
            }
        }
    }
}

fn refused(app: &App, caller: &Caller, refusal: Refusal<'_>) -> AuditDraft {
    let as_operator = Operator::prove(caller.clone()).is_ok();
    let (method, path) = refusal.deed;
    let what = Deed {
        action: "access.refused",
        subject: String::new(),
        subject_label: path,
        before: Value::Null,
        after: json!({ "method": method, "code": refusal.error.code }),
    };
    let draft = caller.audit(app, caller.actor(as_operator), None, what);
    AuditDraft { outcome: Outcome::Refused, ..draft }
}

/// What a caller we do not know attempted. Whoever shows no credential at all attempts nothing, and `sign_in` counts its
/// own.
fn attempt(error: &Error) -> Option<&'static str> {
    match (error.kind, error.code) {
        (_, SIGN_IN_REFUSED | "sign_in_required" | "too_many_sign_ins") => None,
        (Kind::Unauthenticated, "credentials_misplaced") => Some(MISPLACED),
        (Kind::Unauthenticated | Kind::TooMany | Kind::Forbidden, _) => Some(UNKNOWN_CALLER),
        _ => None,
    }
}

/// The code of the one answer to every sign-in that fails; `sign_in` counts those itself.
pub const SIGN_IN_REFUSED: &str = "sign_in_refused";
