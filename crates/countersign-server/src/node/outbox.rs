//! Delivers what was posted: wakes when something is posted and when something is due, claims a few deliveries, has
//! them sent, and says what became of them. At least once, whatever ends the process: what it claimed and did not settle
//! is due again. It decides neither who is told nor what.

use std::{sync::Arc, time::Duration};

use countersign_model::{id::WebhookId, time::Timestamp};
use countersign_store::{Channel, Claim, Delivery, DeliveryState, Due, Settled};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    error::{Error, Kind},
    limits::{
        DELIVERIES_AT_ONCE, DELIVERY_CLAIM_SECS, DELIVERY_OUTAGE_SECS, DELIVERY_REST_SECS,
        DELIVERY_SEND_SECS, DELIVERY_WAIT_SECS_MAX, DELIVERY_WAIT_SECS_MIN, DRAIN_SECS, OUTBOX_LOOK_SECS,
    },
    ops::{
        addresses,
        notices::{Prepared, letter, message},
        webhooks,
    },
    outcome::SendOutcome,
    random::Random,
};

const CHANNELS: [Channel; 2] = [Channel::Mail, Channel::Webhook];

/// Delivers until stopped; then finishes what is on its way, as far as that takes no longer than other work may.
pub async fn deliver(app: Arc<App>, stop: CancellationToken) {
    // One process has the database: what is claimed was claimed by one that is gone.
    match app.store.release_claims(app.clock.wall()).await {
        Ok(0) => {}
        Ok(deliveries) => tracing::info!(deliveries, "deliveries that were interrupted are made again"),
        Err(error) => {
            tracing::warn!(%error, "cannot look for interrupted deliveries; they wait for their time");
        }
    }
    let lanes = CHANNELS.map(|channel| Lane::new(Arc::clone(&app), channel).run(stop.clone()));
    let [mail, webhooks] = lanes;
    tokio::join!(mail, webhooks);
}

/// Delivers everything that is due now and ends. Answers how many tries it made.
pub async fn deliver_due(app: &Arc<App>) -> Result<usize, Error> {
    let mut tries = 0;
    for channel in CHANNELS {
        let mut lane = Lane::new(Arc::clone(app), channel);
        loop {
            tries += lane.fill().await?;
            if lane.flights.join_next().await.is_none() {
                break;
            }
        }
    }
    Ok(tries)
}

/// The deliveries of one channel that are on their way. Each channel has its own, so that a mail server that hangs does
/// not delay webhooks.
struct Lane {
    app: Arc<App>,
    channel: Channel,
    flights: JoinSet<()>,
}

impl Lane {
    fn new(app: Arc<App>, channel: Channel) -> Self {
        Self { app, channel, flights: JoinSet::new() }
    }

    async fn run(mut self, stop: CancellationToken) {
        let mut posted = self.app.outbox.subscribe();
        loop {
            let look = match self.fill().await {
                Ok(_) => self.next_look().await,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the outbox; trying again");
                    Duration::from_secs(OUTBOX_LOOK_SECS)
                }
            };
            let has_room = self.flights.len() < DELIVERIES_AT_ONCE;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = self.flights.join_next() => {}
                Ok(()) = posted.changed(), if has_room => {}
                () = tokio::time::sleep(look), if has_room => {}
            }
        }
        let landing = async { while self.flights.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_secs(DRAIN_SECS), landing).await.is_err() {
            tracing::warn!("deliveries were cut off by the stop; they are made again after the next start");
        }
    }

    /// How long nothing can be due. A mail that waits for a mail server to be configured is never due.
    async fn next_look(&self) -> Duration {
        let longest = Duration::from_secs(OUTBOX_LOOK_SECS);
        if !self.is_open() {
            return longest;
        }
        match self.app.store.next_delivery_at(self.channel).await {
            Ok(Some(at)) => {
                let millis = at.unix_millis().saturating_sub(self.app.clock.wall().unix_millis());
                // Something due now is held back by others to the same target: whoever lands wakes us.
                Duration::from_millis(u64::try_from(millis).unwrap_or(0))
                    .clamp(Duration::from_secs(1), longest)
            }
            Ok(None) | Err(_) => longest,
        }
    }

    fn is_open(&self) -> bool {
        match self.channel {
            Channel::Mail => self.app.mailer.is_some(),
            Channel::Webhook => true,
        }
    }

    /// Claims as many as there is room for and sends them on their way. Answers how many.
    async fn fill(&mut self) -> Result<usize, Error> {
        while self.flights.try_join_next().is_some() {}
        let room = DELIVERIES_AT_ONCE.saturating_sub(self.flights.len());
        if room == 0 || !self.is_open() {
            return Ok(0);
        }
        let now = self.app.clock.wall();
        if self.app.store.next_delivery_at(self.channel).await?.is_none_or(|at| at > now) {
            return Ok(0);
        }
        let number = i64::from_be_bytes(self.app.random.bytes()?);
        let claim = Claim { number, until: now.plus_secs(DELIVERY_CLAIM_SECS) };
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let due = self.app.store.claim_deliveries(self.channel, (claim, room), now).await?;
        let claimed = due.len();
        for due in due {
            self.flights.spawn(one(Arc::clone(&self.app), due, claim));
        }
        Ok(claimed)
    }
}

/// Makes one delivery and says what became of it.
async fn one(app: Arc<App>, due: Due, claim: Claim) {
    let began_at = app.clock.wall();
    let limit = Duration::from_secs(DELIVERY_SEND_SECS);
    let sent = tokio::time::timeout(limit, send(&app, &due)).await;
    let outcome = sent.unwrap_or_else(|_| {
        let reason = format!("it took longer than {DELIVERY_SEND_SECS} seconds");
        Ok(SendOutcome::Later { code: None, reason, after_secs: None })
    });
    let told = match outcome {
        // An outage of ours is no try; a failure of ours is one, so that it comes to an end.
        Err(error) if error.kind == Kind::Unavailable => {
            let again = app.clock.wall().plus_secs(DELIVERY_OUTAGE_SECS);
            app.store
                .put_back_delivery(&due.delivery, claim, again, "an outage of ours; it was not tried")
                .await
        }
        Err(_) => {
            let reason = "a failure of ours; the log says which".to_owned();
            settle(&app, &due, claim, began_at, &SendOutcome::Later { code: None, reason, after_secs: None })
                .await
        }
        Ok(outcome) => settle(&app, &due, claim, began_at, &outcome).await,
    };
    if let Err(error) = told {
        tracing::warn!(%error, delivery = %due.delivery.id, "cannot note what became of a delivery; it is made again");
    }
}

async fn send(app: &App, due: &Due) -> Result<SendOutcome, Error> {
    match due.delivery.channel {
        Channel::Webhook => {
            let Ok(webhook) = due.delivery.target.parse::<WebhookId>() else {
                return Ok(SendOutcome::Refused {
                    code: None,
                    reason: "there is no such webhook".to_owned(),
                });
            };
            webhooks::deliver(app, webhook, &due.delivery.notice.to_string(), &message(due)).await
        }
        Channel::Mail => {
            let Some(mailer) = &app.mailer else {
                return Err(Error::unavailable("mail", &"no mail server is configured"));
            };
            let letter = match letter(app, due).await? {
                Prepared::Letter(letter) => letter,
                Prepared::NotNeeded(reason) => {
                    return Ok(SendOutcome::Refused { code: None, reason: reason.to_owned() });
                }
            };
            let outcome = mailer.send(&letter, app.clock.wall()).await;
            // The letter is out or refused whatever can be noted about its address.
            if let Err(error) = note_address(app, &letter.to.key(), &outcome).await {
                tracing::warn!(%error, "cannot note what a mail server said of an address");
            }
            Ok(outcome)
        }
    }
}

/// An address that a mail server refuses for good is marked; one that takes a letter is not any more.
async fn note_address(app: &App, email: &str, outcome: &SendOutcome) -> Result<(), Error> {
    match outcome {
        SendOutcome::Refused { reason, .. } => addresses::bounced(app, email, reason).await,
        SendOutcome::Sent { .. } => addresses::arrived(app, email).await,
        SendOutcome::Later { .. } => Ok(()),
    }
}

async fn settle(
    app: &App,
    due: &Due,
    claim: Claim,
    began_at: Timestamp,
    outcome: &SendOutcome,
) -> Result<(), countersign_store::Error> {
    let ended_at = app.clock.wall();
    let settled = settled(&due.delivery, outcome, (began_at, ended_at), &app.random);
    if settled.state == DeliveryState::Dead {
        let (delivery, event) = (due.delivery.id, due.delivery.event);
        tracing::warn!(%delivery, %event, tries = due.delivery.tries, "a delivery was given up");
    }
    app.store.settle_delivery(&due.delivery, claim, &settled).await
}

/// What follows from an outcome.
fn settled(
    delivery: &Delivery,
    outcome: &SendOutcome,
    (began_at, ended_at): (Timestamp, Timestamp),
    random: &Random,
) -> Settled {
    let (state, code, reason, after) = match outcome {
        SendOutcome::Sent { code } => (DeliveryState::Sent, *code, None, None),
        SendOutcome::Refused { code, reason } => (DeliveryState::Dead, *code, Some(reason.clone()), None),
        SendOutcome::Later { code, reason, after_secs } => {
            let given_up = delivery.tries >= delivery.tries_max;
            let state = if given_up { DeliveryState::Dead } else { DeliveryState::Waiting };
            (state, *code, Some(reason.clone()), *after_secs)
        }
    };
    let waits = wait_secs(delivery.tries, random).max(after.map_or(0, i64::from)).min(DELIVERY_WAIT_SECS_MAX);
    let rests = state == DeliveryState::Waiting && delivery.channel == Channel::Webhook;
    Settled {
        state,
        next_at: ended_at.plus_secs(waits),
        code,
        reason,
        began_at,
        ended_at,
        rests_until: rests.then(|| ended_at.plus_secs(DELIVERY_REST_SECS)),
    }
}

/// How long to wait after so many tries, in seconds: half a minute, then twice as long each time up to six hours, of
/// which up to a fifth is chance, so that what failed together is not tried together.
fn wait_secs(tries: u32, random: &Random) -> i64 {
    let doubled = DELIVERY_WAIT_SECS_MIN.saturating_mul(1 << tries.saturating_sub(1).min(30));
    let wait = doubled.min(DELIVERY_WAIT_SECS_MAX * 4 / 5);
    // Without randomness there is no jitter, which is no reason not to try again.
    let chance = i64::from(u16::from_be_bytes(random.bytes().unwrap_or_default()));
    wait + wait * chance / 4 / i64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_six_hours_with_a_little_chance() {
        let random = Random::seeded(7);
        let expected = [30, 60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 17_280, 17_280];
        let mut seen = std::collections::HashSet::new();
        for (tries, least) in (1..).zip(expected) {
            for _ in 0..100 {
                let wait = wait_secs(tries, &random);
                assert!((least..=least + least / 4).contains(&wait), "after {tries} tries: {wait}");
                assert!((DELIVERY_WAIT_SECS_MIN..=DELIVERY_WAIT_SECS_MAX).contains(&wait));
                seen.insert(wait);
            }
        }
        assert!(seen.len() > 500, "only {} different waits", seen.len());
        assert!(wait_secs(u32::MAX, &random) <= DELIVERY_WAIT_SECS_MAX);
        let total: i64 =
            (1..countersign_store::limits::DELIVERY_TRIES_MAX).map(|tries| wait_secs(tries, &random)).sum();
        assert!((2 * 86_400..4 * 86_400).contains(&total), "given up after {total} seconds");
    }
}
