//! What can happen next: one step of one party.

/// One step. The number is that of the node which takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Time goes on.
    Tick,
    /// The standby becomes the primary; the old one does not know.
    Promote,
    /// The writer turns to the new primary.
    WriterTurns,
    /// A node turns to the new primary.
    NodeTurns(usize),
    /// The writer reads the nodes to wait for before it commits.
    ReadNodesEarly,
    /// The denial becomes visible.
    Commit,
    /// The denial becomes visible on the old primary only, because the wait for the standby was cancelled.
    CommitUnreplicated,
    /// Another change becomes visible.
    CommitOther,
    /// A change becomes visible on the old primary that will never be replicated.
    CommitPhantom,
    /// The writer learns of its commit, and reads the nodes to wait for.
    Learn,
    /// The writer answers.
    Answer,
    /// The writer fences a node.
    Fence(usize),
    /// A node registers a new incarnation and loads its first snapshot.
    Register(usize),
    /// A node sends a renewal.
    Renew(usize),
    /// The server answers a renewal.
    Serve(usize),
    /// A renewal or its answer is lost.
    Lose(usize),
    /// A node receives the answer of a renewal.
    Receive(usize),
    /// A node reads on in the log.
    Follow(usize),
    /// The denial reaches a node by push.
    Push(usize),
    /// A node gives up what it holds from a push.
    Forget(usize),
    /// A node acknowledges the denial.
    Acknowledge(usize),
    /// A node is killed.
    Crash(usize),
    /// A node is paused for one tick that its clock does not count.
    Pause(usize),
    /// The next step of a request that came after the answer.
    Check(usize),
    /// The database is put back to a time before everything.
    Restore,
}
