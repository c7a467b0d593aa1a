//! Everything that is so at one moment. Small, because millions of states are kept.

/// How long a lease lasts, in ticks.
pub(crate) const LEASE: u8 = 2;
/// How many incarnations one node can have.
pub(crate) const INCARNATIONS: usize = 3;
/// How many nodes there are.
pub(crate) const NODES: usize = 2;
/// No tick.
pub(crate) const NEVER: u8 = u8::MAX;

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Real time.
    pub(crate) now: u8,
    /// The first primary, and its standby.
    pub(crate) servers: [Server; 2],
    /// Whether the standby was promoted.
    pub(crate) promoted: bool,
    /// Who makes the denial.
    pub(crate) writer: Writer,
    /// Who answers requests.
    pub(crate) nodes: [Node; NODES],
    /// What has happened.
    pub(crate) happened: Happened,
    /// A request was allowed that came after the answer.
    pub(crate) violated: bool,
}

/// What is at one place of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    /// Nothing, or nothing visible yet.
    #[default]
    Absent,
    /// The denial.
    Denial,
    /// A change of something else.
    Other,
    /// A change that was visible on the old primary and never replicated.
    Phantom,
}

/// The first two versions of the change log. Comparing entries stands for comparing chain values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Log(pub(crate) [Entry; 2]);

/// What one database server holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) log: Log,
    pub(crate) registered: Rows,
    pub(crate) fenced: Rows,
}

/// A set of incarnations of nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rows(pub(crate) u8);

/// How far the denial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Not asked for yet.
    Before,
    /// Visible in the database; its writer does not know yet.
    Committed,
    /// The writer knows, and waits for nodes.
    Waiting,
    /// Answered: from now on nothing may be allowed.
    Answered,
}

/// The node that makes the denial, apart from what it answers requests with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    pub(crate) phase: Phase,
    /// Which server it talks to.
    pub(crate) server: usize,
    /// The version of the denial.
    pub(crate) version: usize,
    /// When it learned of the commit.
    pub(crate) since: u8,
    /// Whom it still waits for.
    pub(crate) waits_for: Rows,
    /// Whether it read the nodes before the commit.
    pub(crate) read_early: bool,
    /// When it learned that an incarnation is fenced.
    pub(crate) fence_known_at: [u8; NODES * INCARNATIONS],
    /// Whether its own journal has the denial.
    pub(crate) journal: bool,
}

/// A renewal under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Renewal {
    /// None.
    None,
    /// Sent, with what was applied then.
    Sent { at: u8, applied: Log },
    /// Answered by the server; not yet received.
    Answered { at: u8, head: usize, same_chain: bool, fenced: bool },
}

/// A request being decided that came after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Check {
    /// None.
    None,
    /// Completely received.
    Received,
    /// The lease was alive when it was looked at.
    LeaseSeen,
    /// Only where the rule is broken: the index was read first.
    IndexRead { denied: bool },
}

/// Whether a node can take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Life {
    /// Its process does not run.
    Down,
    /// It runs, and this incarnation has no row yet.
    Unknown,
    /// It runs and has its row.
    Registered,
}

/// One node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) life: Life,
    /// Its incarnation, from 0.
    pub(crate) incarnation: usize,
    /// Which server it talks to.
    pub(crate) server: usize,
    /// What it has applied; `None` before the first snapshot.
    pub(crate) applied: Option<Log>,
    /// Whether it holds the denial from a push.
    pub(crate) overlay: bool,
    /// Whether its journal has the denial.
    pub(crate) journal: bool,
    /// The first tick at which it may no longer answer.
    pub(crate) lease_until: u8,
    pub(crate) renewal: Renewal,
    pub(crate) check: Check,
}

/// What can happen once only, or is worth knowing that it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Crash,
    Fence,
    Other,
    Phantom,
    Pause,
    Restore,
    /// A denial was acknowledged out of the overlay alone.
    AheadOfFeed,
    /// A node found that it had applied a change that never was.
    ForkFound,
    /// The denial was answered without waiting to the end.
    AnsweredByAcks,
}

/// A set of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Happened(u16);

impl Log {
    /// The highest version in it, from 1; 0 when it is empty.
    pub(crate) fn head(self) -> usize {
        self.0.iter().rposition(|entry| *entry != Entry::Absent).map_or(0, |place| place + 1)
    }

    /// Whether the denial is in it.
    pub(crate) fn denies(self) -> bool {
        self.0.contains(&Entry::Denial)
    }

    /// Whether both are the same up to this version.
    pub(crate) fn agrees(self, other: Self, version: usize) -> bool {
        self.0[..version] == other.0[..version]
    }

    /// Takes what follows its own head from the log of a server.
    pub(crate) fn follow(&mut self, server: Self) {
        let head = self.head();
        self.0[head..].copy_from_slice(&server.0[head..]);
    }
}

impl Rows {
    pub(crate) fn has(self, row: usize) -> bool {
        self.0 >> row & 1 == 1
    }

    pub(crate) fn with(self, row: usize) -> Self {
        Self(self.0 | 1 << row)
    }

    pub(crate) fn without(self, row: usize) -> Self {
        Self(self.0 & !(1 << row))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Happened {
    pub(crate) fn has(self, event: Event) -> bool {
        self.0 >> event as u16 & 1 == 1
    }

    pub(crate) fn note(&mut self, event: Event) {
        self.0 |= 1 << event as u16;
    }
}

impl Node {
    /// Whether it would deny, lease aside.
    pub(crate) fn denies(&self) -> bool {
        self.overlay || self.applied.is_some_and(Log::denies)
    }
}

/// The row of an incarnation.
pub(crate) const fn row(node: usize, incarnation: usize) -> usize {
    node * INCARNATIONS + incarnation
}

impl State {
    /// Nothing has happened.
    pub(crate) fn first() -> Self {
        let node = Node {
            life: Life::Unknown,
            incarnation: 0,
            server: 0,
            applied: None,
            overlay: false,
            journal: false,
            lease_until: 0,
            renewal: Renewal::None,
            check: Check::None,
        };
        Self {
            now: 0,
            servers: [Server::default(); 2],
            promoted: false,
            writer: Writer {
                phase: Phase::Before,
                server: 0,
                version: 0,
                since: 0,
                waits_for: Rows::default(),
                read_early: false,
                fence_known_at: [NEVER; NODES * INCARNATIONS],
                journal: false,
            },
            nodes: [node; NODES],
            happened: Happened::default(),
            violated: false,
        }
    }
}
