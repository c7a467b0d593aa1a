//! What the worker does with deliveries: claim, settle, count, prune. None of it is audited; none of it changes who is
//! told or what they are told.

use countersign_model::{id::AccountId, time::Timestamp};
use serde_json::Value as Json;

use super::{Channel, Delivery, DeliveryState, key};
use crate::{
    Error, Store,
    db::Query,
    limits::{
        ATTEMPTS_KEPT, DELIVERIES_KEPT_SECS, DELIVERIES_LOOKED_AT_MAX, DELIVERIES_PER_CLAIM_MAX,
        DELIVERIES_PER_SWEEP_MAX, DELIVERIES_PER_TARGET_MAX, ONCE_KEPT_SECS,
    },
    value::Row,
    write::Statement,
};

/// Of what is due, the oldest first; of each target only a few, and none while others to it are on their way: one that
/// does not answer must not hold up the rest.
pub(crate) const CLAIM: &str = "
update deliveries set claim = $2, tries = tries + 1, next_at = $3
where (notice_id, ordinal) in (
  select notice_id, ordinal from (
    select notice_id, ordinal, next_at,
      row_number() over (partition by target order by next_at, notice_id, ordinal) as turn
    from (
      select notice_id, ordinal, next_at, target from deliveries
      where channel = $1 and state = 'waiting' and next_at <= $4
        and target not in (select target from deliveries where claim is not null and next_at > $4)
      order by next_at limit $5) due) turns
  where turn <= $6 order by next_at limit $7)";
pub(crate) const CLAIMED: &str = "
select d.*, n.at as notice_at, n.account_id as notice_account_id, n.label as notice_label, n.facts as notice_facts
from deliveries d join notices n on n.id = d.notice_id
where d.claim = $1 order by d.created_at, d.notice_id, d.ordinal";
pub(crate) const SETTLE: &str = "
update deliveries set state = $4, next_at = $5, code = $6, reason = $7, settled_at = $8, claim = null
where notice_id = $1 and ordinal = $2 and claim = $3";
pub(crate) const UNTRY: &str = "
update deliveries set tries = tries - 1, next_at = $4, reason = $5, claim = null
where notice_id = $1 and ordinal = $2 and claim = $3";
pub(crate) const LOG: &str = "
insert into attempts (notice_id, ordinal, number, at, code, reason, millis)
select notice_id, ordinal, $3, $4, $5, $6, $7 from deliveries where notice_id = $1 and ordinal = $2
on conflict (notice_id, ordinal, number) do nothing";
pub(crate) const FORGET_ATTEMPTS: &str =
    "delete from attempts where notice_id = $1 and ordinal = $2 and number <= $3";
/// One target that does not answer rests: what else is due to it waits until then.
pub(crate) const REST: &str = "
update deliveries set next_at = $3
where channel = $1 and target = $2 and state = 'waiting' and claim is null and next_at < $3";
pub(crate) const RELEASE_CLAIMS: &str =
    "update deliveries set claim = null, next_at = $1 where claim is not null and state = 'waiting'";
pub(crate) const STANDING: &str = "
select channel,
  sum(case when state = 'waiting' then 1 else 0 end) as waiting,
  sum(case when state = 'dead' then 1 else 0 end) as dead,
  min(case when state = 'waiting' then created_at end) as oldest,
  min(case when state = 'waiting' then next_at end) as next_at
from deliveries where state in ('waiting', 'dead') group by channel";
pub(crate) const NEXT: &str =
    "select min(next_at) as next_at from deliveries where channel = $1 and state = 'waiting'";
pub(crate) const PRUNE: &str = "
delete from deliveries where (notice_id, ordinal) in (
  select notice_id, ordinal from deliveries where created_at <= $1 and state <> 'waiting' order by created_at limit $2)";
pub(crate) const PRUNE_NOTICES: &str = "
delete from notices where id in (
  select n.id from notices n
  where n.at <= $1 and (n.once is null or n.at <= $2)
    and not exists (select 1 from deliveries d where d.notice_id = n.id)
  order by n.at limit $3)";

/// What a worker holds, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// A number drawn at random: whoever knows it may settle.
    pub number: i64,
    /// When it is void; another worker may then claim the same.
    pub until: Timestamp,
}

/// A delivery to make, with the notice it delivers.
#[derive(Debug, Clone)]
pub struct Due {
    /// The delivery. This try is counted in its `tries` already.
    pub delivery: Delivery,
    /// When it happened.
    pub at: Timestamp,
    /// The account it concerns, also where the delivery is the platform's.
    pub account: Option<AccountId>,
    /// What it concerns.
    pub label: String,
    /// What to tell.
    pub facts: Json,
}

/// What came of a try.
#[derive(Debug, Clone)]
pub struct Settled {
    /// How far the delivery is now.
    pub state: DeliveryState,
    /// When it is tried again, where it waits.
    pub next_at: Timestamp,
    /// What was answered.
    pub code: Option<u16>,
    /// Why it did not succeed.
    pub reason: Option<String>,
    /// When the try began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Until when its target rests: what else is due to it waits as long.
    pub rests_until: Option<Timestamp>,
}

/// How a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub channel: Channel,
    /// How many wait.
    pub waiting: u64,
    /// How many were given up.
    pub dead: u64,
    /// When the oldest that waits was posted.
    pub oldest: Option<Timestamp>,
    /// When the next is due.
    pub next_at: Option<Timestamp>,
}

impl Due {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            delivery: Delivery::read(row)?,
            at: row.moment("notice_at")?,
            account: row.optional_parsed("notice_account_id")?,
            label: row.text("notice_label")?.to_owned(),
            facts: row.json("notice_facts")?,
        })
    }
}

impl Standing {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            channel: row.word("channel", &super::CHANNELS)?,
            waiting: row.number("waiting")?,
            dead: row.number("dead")?,
            oldest: row.optional_moment("oldest")?,
            next_at: row.optional_moment("next_at")?,
        })
    }
}

impl Store {
    /// Claims deliveries of a channel that are due, at most `room` and 50, at most a few of each target, and counts a try
    /// of each. They are nobody else's until the claim is void.
    pub async fn claim_deliveries(
        &self,
        channel: Channel,
        (claim, room): (Claim, u32),
        now: Timestamp,
    ) -> Result<Vec<Due>, Error> {
        let values = vec![
            channel.as_str().into(),
            claim.number.into(),
            claim.until.into(),
            now.into(),
            DELIVERIES_LOOKED_AT_MAX.into(),
            DELIVERIES_PER_TARGET_MAX.into(),
            room.min(DELIVERIES_PER_CLAIM_MAX).into(),
        ];
        if self.db().quiet(vec![Statement::new(CLAIM, values)]).await?.rows == 0 {
            return Ok(Vec::new());
        }
        self.db().rows(Query::new(CLAIMED, vec![claim.number.into()]), Due::read).await
    }

    /// When the next delivery of a channel is due; `None` where none waits.
    pub async fn next_delivery_at(&self, channel: Channel) -> Result<Option<Timestamp>, Error> {
        let query = Query::new(NEXT, vec![channel.as_str().into()]);
        Ok(self.db().row(query, |row| row.optional_moment("next_at")).await?.flatten())
    }

    /// Says what came of a try. Does nothing where the claim is void and another worker took over, but for the log of
    /// tries, which keeps the last 50.
    pub async fn settle_delivery(
        &self,
        due: &Delivery,
        claim: Claim,
        settled: &Settled,
    ) -> Result<(), Error> {
        let [notice, ordinal] = key(due.id);
        let ended = match settled.state {
            DeliveryState::Sent | DeliveryState::Dead => Some(settled.ended_at),
            DeliveryState::Waiting | DeliveryState::Held => None,
        };
        let code = settled.code.map(i64::from);
        let millis = settled.ended_at.unix_millis().saturating_sub(settled.began_at.unix_millis()).max(0);
        let mut statements = vec![
            Statement::new(
                SETTLE,
                vec![
                    notice.clone(),
                    ordinal.clone(),
                    claim.number.into(),
                    settled.state.as_str().into(),
                    settled.next_at.into(),
                    code.into(),
                    settled.reason.clone().into(),
                    ended.into(),
                ],
            ),
            Statement::new(
                LOG,
                vec![
                    notice.clone(),
                    ordinal.clone(),
                    due.tries.into(),
                    settled.began_at.into(),
                    code.into(),
                    settled.reason.clone().into(),
                    millis.into(),
                ],
            ),
        ];
        if let Some(before) = due.tries.checked_sub(ATTEMPTS_KEPT) {
            statements.push(Statement::new(FORGET_ATTEMPTS, vec![notice, ordinal, before.into()]));
        }
        if let Some(until) = settled.rests_until {
            let values = vec![due.channel.as_str().into(), due.target.as_str().into(), until.into()];
            statements.push(Statement::new(REST, values));
        }
        self.db().quiet(statements).await.map(|_| ())
    }

    /// Puts a delivery back that could not be tried because of us: it is no try, and due again at `next_at`.
    pub async fn put_back_delivery(
        &self,
        due: &Delivery,
        claim: Claim,
        next_at: Timestamp,
        reason: &str,
    ) -> Result<(), Error> {
        let [notice, ordinal] = key(due.id);
        let values = vec![notice, ordinal, claim.number.into(), next_at.into(), reason.into()];
        self.db().quiet(vec![Statement::new(UNTRY, values)]).await.map(|_| ())
    }

    /// Makes everything due that somebody claimed and did not settle. Only for whoever holds the database alone, as the
    /// process that opened an embedded one does: the claims it finds are of a process that is gone.
    pub async fn release_claims(&self, now: Timestamp) -> Result<u64, Error> {
        Ok(self.db().quiet(vec![Statement::new(RELEASE_CLAIMS, vec![now.into()])]).await?.rows)
    }

    /// How the channels stand that have anything waiting or given up.
    pub async fn outbox_standing(&self) -> Result<Vec<Standing>, Error> {
        self.db().rows(Query::new(STANDING, Vec::new()), Standing::read).await
    }

    /// Removes deliveries that no longer wait, 90 days after they were posted, and notices without deliveries; what may
    /// be posted only once is remembered longer. Answers how many rows went.
    pub async fn prune_deliveries(&self, now: Timestamp) -> Result<u64, Error> {
        let before = now.plus_secs(-DELIVERIES_KEPT_SECS);
        let (once, many) = (now.plus_secs(-ONCE_KEPT_SECS), DELIVERIES_PER_SWEEP_MAX);
        let touched = self
            .db()
            .quiet(vec![
                Statement::new(PRUNE, vec![before.into(), many.into()]),
                Statement::new(PRUNE_NOTICES, vec![before.into(), once.into(), many.into()]),
            ])
            .await?;
        Ok(touched.rows)
    }
}
