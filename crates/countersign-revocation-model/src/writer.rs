//! Who makes the denial: commit, wait, answer.

use crate::{
    Rule,
    model::Barrier,
    state::{Event, INCARNATIONS, LEASE, NODES, Phase, Rows, State, row},
};

impl Barrier {
    /// How long nodes that do not answer are waited for, in ticks.
    pub(crate) fn wait(self) -> u8 {
        let budget = u8::from(self.scenario == crate::Scenario::Pause && !self.breaks(Rule::PauseBudget));
        let wait = if self.breaks(Rule::WaitCoversLease) { LEASE - 1 } else { LEASE };
        wait + budget
    }

    pub(crate) fn learn(self, state: &mut State) {
        let server = state.servers[state.writer.server];
        let (now, wait) = (state.now, self.wait());
        let writer = &mut state.writer;
        writer.phase = Phase::Waiting;
        writer.since = now;
        // What stands in the table after the commit: who is not in it will see the denial in its first snapshot.
        let mut waits_for = if writer.read_early { writer.waits_for } else { server.registered };
        for row in 0..NODES * INCARNATIONS {
            let known_for = now.checked_sub(writer.fence_known_at[row]);
            let long_enough =
                self.breaks(Rule::FenceIsRemembered) || known_for.is_some_and(|known| known >= wait);
            if server.fenced.has(row) && long_enough {
                waits_for = waits_for.without(row);
            }
        }
        writer.waits_for = waits_for;
        writer.journal = !self.breaks(Rule::JournalBeforeAnswer);
    }

    pub(crate) fn may_answer(self, state: &State) -> bool {
        state.writer.waits_for.is_empty() || state.now >= state.writer.since + self.wait()
    }

    pub(crate) fn answer(state: &mut State) {
        if state.writer.waits_for.is_empty() {
            state.happened.note(Event::AnsweredByAcks);
        }
        state.writer.phase = Phase::Answered;
        state.writer.waits_for = Rows::default();
    }

    pub(crate) fn fence(state: &mut State, node: usize) -> Option<()> {
        let row = row(node, state.nodes[node].incarnation);
        let server = state.writer.server;
        Self::write(state, server, |server| server.fenced = server.fenced.with(row))?;
        state.writer.fence_known_at[row] = state.now;
        state.happened.note(Event::Fence);
        Some(())
    }

    /// An acknowledgement reaches the writer.
    pub(crate) fn acknowledge(self, state: &mut State, index: usize) -> Option<()> {
        let node = &mut state.nodes[index];
        let version = state.writer.version;
        let named = state.servers[state.writer.server].log;
        let by_feed = node.applied.is_some_and(|applied| {
            applied.head() >= version
                && (!self.compares_chains(Rule::AckNamesChain) || applied.agrees(named, version))
        });
        if !by_feed && !node.overlay && !self.breaks(Rule::AckAfterApply) {
            return None;
        }
        node.journal = node.denies();
        if !by_feed && node.overlay {
            state.happened.note(Event::AheadOfFeed);
        }
        let row = row(index, node.incarnation);
        state.writer.waits_for = state.writer.waits_for.without(row);
        Some(())
    }
}
