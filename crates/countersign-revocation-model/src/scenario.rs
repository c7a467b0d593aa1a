//! What may happen beside one denial and two nodes. Scenarios are apart because their states multiply.

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// Nothing but slow, lost and late messages.
    Plain,
    /// A node is killed and started again.
    Crash,
    /// A node is fenced and registers anew.
    Fence,
    /// The standby is promoted while the old primary goes on, and a wait for replication is cancelled.
    Failover,
    /// Another change is committed, before or after the denial.
    SecondChange,
    /// A node is paused for one tick that its clock does not count.
    Pause,
    /// The old primary shows a change that was never replicated.
    Divergence,
    /// Denials are pushed to nodes that are behind the feed.
    DenyLane,
    /// The database is put back to a time before the denial.
    Restore,
}

/// How far to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// In a minute or two, all scenarios together.
    Quick,
    /// One tick more.
    Full,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 9] = [
        Self::Plain,
        Self::Crash,
        Self::Fence,
        Self::Failover,
        Self::SecondChange,
        Self::Pause,
        Self::Divergence,
        Self::DenyLane,
        Self::Restore,
    ];

    /// The last tick that is looked at.
    pub(crate) const fn end(self, bound: Bound) -> u8 {
        // A lease, the wait that covers it, and a tick in which the lease can be given out late.
        let quick = match self {
            Self::Pause => 5,
            _ => 4,
        };
        match bound {
            Bound::Quick => quick,
            Bound::Full => quick + 1,
        }
    }
}
