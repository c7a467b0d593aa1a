//! Two database servers, the second a synchronous standby of the first until it is promoted.

use crate::{
    Rule,
    model::Barrier,
    state::{Entry, Event, Log, Server, State},
};

impl Barrier {
    /// A durable write by somebody who talks to this server; `None` where it cannot complete: on a standby, and on a
    /// primary whose standby was promoted.
    pub(crate) fn write(state: &mut State, server: usize, change: impl Fn(&mut Server)) -> Option<()> {
        match (state.promoted, server) {
            (false, 0) => state.servers.iter_mut().for_each(change),
            (true, 1) => change(&mut state.servers[1]),
            _ => return None,
        }
        Some(())
    }

    /// Whether this rule's comparison of chains is made. Numbers out of a sequence are not in the order of commits, so
    /// there is no value of a chain that belongs to a number.
    pub(crate) fn compares_chains(self, rule: Rule) -> bool {
        !self.breaks(rule) && !self.breaks(Rule::CounterRow)
    }

    /// The place of the next entry.
    fn next_place(log: Log) -> Option<usize> {
        (log.head() < log.0.len()).then_some(log.head())
    }

    pub(crate) fn commit(self, state: &mut State) -> Option<()> {
        let server = state.writer.server;
        let log = state.servers[server].log;
        // From a sequence, the denial has the first number although another change was committed before it.
        let late = self.breaks(Rule::CounterRow) && log.0 == [Entry::Absent, Entry::Other];
        let place = if late { 0 } else { Self::next_place(log)? };
        Self::write(state, server, |server| server.log.0[place] = Entry::Denial)?;
        state.writer.version = place + 1;
        Some(())
    }

    /// Visible where it was made and nowhere else. Who made it got a warning.
    pub(crate) fn commit_unreplicated(state: &mut State) -> Option<()> {
        let log = &mut state.servers[0].log;
        let place = Self::next_place(*log)?;
        log.0[place] = Entry::Denial;
        state.writer.version = place + 1;
        Some(())
    }

    pub(crate) fn commit_other(self, state: &mut State) -> Option<()> {
        let server = usize::from(state.promoted);
        let log = state.servers[server].log;
        let place =
            if self.breaks(Rule::CounterRow) && log == Log::default() { 1 } else { Self::next_place(log)? };
        state.happened.note(Event::Other);
        Self::write(state, server, |server| server.log.0[place] = Entry::Other)
    }

    pub(crate) fn commit_phantom(state: &mut State) -> Option<()> {
        let log = &mut state.servers[0].log;
        let place = Self::next_place(*log)?;
        log.0[place] = Entry::Phantom;
        state.happened.note(Event::Phantom);
        Some(())
    }

    /// Yesterday's backup, and on top of it every denial that a journal has.
    pub(crate) fn restore(self, state: &mut State) {
        let known = state.writer.journal || state.nodes.iter().any(|node| node.journal);
        let again = known && !self.breaks(Rule::RestoreTakesJournals);
        let log = Log([if again { Entry::Denial } else { Entry::Absent }, Entry::Absent]);
        state.servers = [Server { log, ..Server::default() }; 2];
        state.happened.note(Event::Restore);
        // A raised epoch: whoever renews finds out that everything it holds is of another time, and starts anew.
        for node in &mut state.nodes {
            node.begin_anew();
        }
    }
}
