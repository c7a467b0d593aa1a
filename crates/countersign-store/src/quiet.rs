//! Housekeeping: the only writes without audit entry and change. They touch exactly this and nothing else: when, from
//! where and how often a token was used (`usage.rs`), when a session was seen, the counters of failed sign-ins,
//! since when a webhook fails (`webhooks.rs`), how far deliveries are (`deliveries/work.rs`), signed checkpoints of the audit trail (`audit/checkpoint.rs`), rows
//! whose time is over (sessions, invitations, remembered answers, devices), and changes far behind the head. None of
//! it grants or takes a right, none of it moves an edit number.

use countersign_model::{
    id::{SessionId, UserId},
    time::Timestamp,
};

use crate::{
    Error, Store,
    limits::{CHANGES_KEPT, CHANGES_PER_SWEEP_MAX, DEVICE_KEPT_SECS},
    write::Statement,
};

pub(crate) const PING: &str = "update cluster set epoch = epoch where singleton = 1";
pub(crate) const SESSION_SEEN: &str = "update sessions set seen_at = $2 where id = $1 and seen_at < $2";
pub(crate) const SIGN_IN_FAILED: &str = "
update people set failed_sign_ins = failed_sign_ins + 1, failed_at = $2 where id = $1 returning failed_sign_ins";
pub(crate) const STRANGER_FAILED: &str = "
update strangers set failed_sign_ins = failed_sign_ins + 1, failed_at = $2 where singleton = $1 returning failed_sign_ins";
pub(crate) const SIGN_IN_SUCCEEDED: &str = "
update people set failed_sign_ins = 0, failed_at = null where id = $1 returning failed_sign_ins";
/// What is written even when the disk is nearly full: rows that are there already, and that signing in needs.
pub(crate) const ON_A_FULL_DISK: [&str; 4] = [PING, SIGN_IN_FAILED, STRANGER_FAILED, SIGN_IN_SUCCEEDED];
pub(crate) const OLD_SESSIONS: &str = "delete from sessions where expires_at <= $1";
pub(crate) const OLD_INVITATIONS: &str = "delete from invitations where expires_at <= $1";
pub(crate) const OLD_ANSWERS: &str = "delete from remembered where expires_at <= $1";
pub(crate) const OLD_DEVICES: &str = "delete from devices where seen_at <= $1";
pub(crate) const RAISE_FLOOR: &str = "
update cluster set floor = case when head - $1 < floor + $2 then head - $1 else floor + $2 end
where singleton = 1 and head - $1 > floor";
pub(crate) const OLD_CHANGES: &str = "delete from change_log where seq <= (select floor from cluster)";

impl Store {
    /// Answers when the database can be read and written, for `/readyz`.
    pub async fn ping(&self) -> Result<(), Error> {
        self.db().quiet(vec![Statement::new(PING, Vec::new())]).await?;
        self.has_operator().await.map(|_| ())
    }

    /// Notes that a session was used. Unaudited, not durable by itself.
    pub async fn touch_session(&self, id: SessionId, seen_at: Timestamp) -> Result<(), Error> {
        self.db().quiet(vec![Statement::new(SESSION_SEEN, vec![id.into(), seen_at.into()])]).await.map(|_| ())
    }

    /// Counts a wrong password (`Some(when)`) or forgets them after a right one (`None`). Answers the count now; 0 for
    /// somebody who is not there. Unaudited by itself: the caller audits sign-ins.
    pub async fn count_failed_sign_in(&self, id: UserId, at: Option<Timestamp>) -> Result<u32, Error> {
        let statement = match at {
            Some(at) => Statement::new(SIGN_IN_FAILED, vec![id.into(), at.into()]),
            None => Statement::new(SIGN_IN_SUCCEEDED, vec![id.into()]),
        };
        let touched = self.db().quiet(vec![statement]).await?;
        Ok(touched.answer.and_then(|count| u32::try_from(count).ok()).unwrap_or_default())
    }

    /// Counts a wrong password of somebody who is not there. Nobody reads the count; it is written, and waits for the
    /// disk, so that the time of a refusal does not tell who exists.
    pub async fn count_stranger_sign_in(&self, at: Timestamp) -> Result<(), Error> {
        let statement = Statement::new(STRANGER_FAILED, vec![1_u64.into(), at.into()]);
        self.db().quiet(vec![statement]).await.map(|_| ())
    }

    /// Removes sessions, invitations, idempotency records and devices that ended before their time, and answers how
    /// many. Also lets go of changes more than [`crate::limits::CHANGES_KEPT`] behind the head.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, Error> {
        let devices_before = now.plus_secs(-DEVICE_KEPT_SECS);
        let touched = self
            .db()
            .quiet(vec![
                Statement::new(OLD_SESSIONS, vec![now.into()]),
                Statement::new(OLD_INVITATIONS, vec![now.into()]),
                Statement::new(OLD_ANSWERS, vec![now.into()]),
                Statement::new(OLD_DEVICES, vec![devices_before.into()]),
            ])
            .await?;
        self.sweep_changes(CHANGES_KEPT, CHANGES_PER_SWEEP_MAX).await?;
        Ok(touched.rows)
    }

    async fn sweep_changes(&self, kept: u64, at_most: u64) -> Result<(), Error> {
        let raise = Statement::new(RAISE_FLOOR, vec![kept.into(), at_most.into()]);
        self.db().quiet(vec![raise, Statement::new(OLD_CHANGES, Vec::new())]).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::change::Seq;

    use crate::{
        Conflict, Error,
        world::{World, token, write},
    };

    #[tokio::test]
    async fn old_changes_go_and_say_so() {
        let world = World::with_account().await;
        let tokens: Vec<_> = (1..=15).map(token).collect();
        assert_eq!(world.commit(write("import").insert_tokens(&tokens)).await.seq, Seq(16));
        // Each sweep lets go of a bounded number, and never of what is near the head.
        for floor in [5, 6, 6] {
            world.store.sweep_changes(10, 5).await.unwrap();
            assert_eq!(world.raw().number("select floor from cluster"), floor);
        }
        assert!(matches!(world.store.changes(Seq(5), 9).await, Err(Error::Conflict(Conflict::Stale))));
        assert_eq!(world.store.changes(Seq(6), 20).await.unwrap().len(), 10);
        world.store.snapshot().await.unwrap();
        world.raw().run("delete from change_log where seq = 9");
        let gap = world.store.changes(Seq(6), 20).await;
        assert!(matches!(gap, Err(Error::Corrupt(_))), "the missing one in between is noticed");
    }
}
