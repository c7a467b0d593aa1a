//! The rules that the promise rests on, and what is so when one of them is broken. The list is the list of mutations: a
//! new rule that is not shown to be needed fails the test.

use crate::Scenario;

/// Something the protocol demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The writer waits at least as long as the longest lease.
    WaitCoversLease,
    /// A lease counts from the moment its renewal was sent.
    LeaseFromSend,
    /// A check looks at the lease first and at the index second.
    LeaseBeforeIndex,
    /// The nodes to wait for are read after the commit.
    NodesAfterCommit,
    /// A fenced node is waited for until the fence has been known for the whole wait.
    FenceIsRemembered,
    /// A renewal is a durable write, which a deposed primary cannot complete.
    DurableRenewal,
    /// A commit that was not replicated is "unknown", not "done".
    WarningIsUnknown,
    /// A node acknowledges what it has applied.
    AckAfterApply,
    /// A lease is extended only when everything up to the head was applied.
    ApplyBeforeLease,
    /// A lease dies with its process.
    LeaseDiesWithProcess,
    /// Numbers are taken from a row that is locked until the commit, so that no lower number turns up later.
    CounterRow,
    /// The wait has a budget for pauses that the clock of a node does not see.
    PauseBudget,
    /// A renewal compares the chain at the version the node has applied.
    ForkCheck,
    /// An acknowledgement names the chain, not only the number.
    AckNamesChain,
    /// A denial taken from a push is kept until the feed has brought it.
    OverlayIsKept,
    /// The denial is in the writer's own journal before it is answered.
    JournalBeforeAnswer,
    /// A restore applies the denials of all journals again.
    RestoreTakesJournals,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 17] = [
        Self::WaitCoversLease,
        Self::LeaseFromSend,
        Self::LeaseBeforeIndex,
        Self::NodesAfterCommit,
        Self::FenceIsRemembered,
        Self::DurableRenewal,
        Self::WarningIsUnknown,
        Self::AckAfterApply,
        Self::ApplyBeforeLease,
        Self::LeaseDiesWithProcess,
        Self::CounterRow,
        Self::PauseBudget,
        Self::ForkCheck,
        Self::AckNamesChain,
        Self::OverlayIsKept,
        Self::JournalBeforeAnswer,
        Self::RestoreTakesJournals,
    ];

    /// The scenario in which breaking it must be found unsafe.
    pub const fn shown_in(self) -> Scenario {
        match self {
            Self::WaitCoversLease
            | Self::LeaseFromSend
            | Self::LeaseBeforeIndex
            | Self::NodesAfterCommit
            | Self::AckAfterApply
            | Self::ApplyBeforeLease => Scenario::Plain,
            Self::FenceIsRemembered => Scenario::Fence,
            Self::DurableRenewal | Self::WarningIsUnknown => Scenario::Failover,
            Self::LeaseDiesWithProcess => Scenario::Crash,
            Self::CounterRow => Scenario::SecondChange,
            Self::PauseBudget => Scenario::Pause,
            Self::ForkCheck | Self::AckNamesChain => Scenario::Divergence,
            Self::OverlayIsKept => Scenario::DenyLane,
            Self::JournalBeforeAnswer | Self::RestoreTakesJournals => Scenario::Restore,
        }
    }
}
