//! When this node may not answer: before everything is loaded, and when it cannot prove that no revocation passed it
//! by. It does not renew a lease; it is told until when one holds.

use countersign_model::{decision::Unavailable, time::Now};

use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// Never fresh: no moment is before it.
const LOST: u64 = 0;
/// Fresh for ever: the one node beside its own database.
const ALWAYS: u64 = u64::MAX;

/// Until when answers hold. Starts not loaded and without a lease.
#[derive(Debug)]
pub struct Freshness {
    loaded: AtomicBool,
    until_boot_nanos: AtomicU64,
}

impl Freshness {
    pub(crate) fn new() -> Self {
        Self { loaded: AtomicBool::new(false), until_boot_nanos: AtomicU64::new(LOST) }
    }

    /// The lease holds until this moment on the boot clock, in nanoseconds. Call it only after every change up to the
    /// head the renewal told is applied, and count the lease from before the renewal was sent (`revocation.md`, *The
    /// lease*).
    pub fn grant_until(&self, boot_nanos: u64) {
        self.until_boot_nanos.store(boot_nanos, Ordering::Release);
    }

    /// There is no other node: what was applied here is all there is.
    pub fn always(&self) {
        self.grant_until(ALWAYS);
    }

    /// The lease is gone; every ask is answered "lease lost" until the next grant.
    pub fn revoke(&self) {
        self.grant_until(LOST);
    }

    /// Whether the node may answer at this moment, and if not, why.
    pub fn check(&self, now: Now) -> Result<(), Unavailable> {
        if !self.loaded.load(Ordering::Acquire) {
            return Err(Unavailable::Loading);
        }
        if now.boot_nanos >= self.until_boot_nanos.load(Ordering::Acquire) {
            return Err(Unavailable::LeaseLost);
        }
        Ok(())
    }

    pub(crate) fn loaded(&self) {
        self.loaded.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::time::Timestamp;

    use super::*;

    #[test]
    fn answers_only_while_loaded_and_leased() {
        let at = |boot_nanos| Now { wall: Timestamp::from_unix_millis(0), boot_nanos };
        let freshness = Freshness::new();
        freshness.grant_until(100);
        assert_eq!(freshness.check(at(1)), Err(Unavailable::Loading));
        freshness.loaded();
        assert_eq!(freshness.check(at(99)), Ok(()));
        assert_eq!(freshness.check(at(100)), Err(Unavailable::LeaseLost));
        freshness.always();
        assert_eq!(freshness.check(at(u64::MAX - 1)), Ok(()));
        freshness.revoke();
        assert_eq!(freshness.check(at(0)), Err(Unavailable::LeaseLost));
    }
}
