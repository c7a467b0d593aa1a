//! A node: registers, follows the log, keeps a lease, answers requests.

use crate::{
    Rule,
    model::Barrier,
    state::{Check, Event, LEASE, Life, Log, Node, Renewal, State, row},
};

impl Node {
    /// Gives up its incarnation and all that belongs to it.
    pub(crate) fn begin_anew(&mut self) {
        self.life = Life::Unknown;
        self.incarnation += 1;
        self.applied = None;
        self.overlay = false;
        self.lease_until = 0;
        self.renewal = Renewal::None;
        self.check = Check::None;
    }
}

impl Barrier {
    /// The row first, the snapshot second: whoever reads the rows after its own commit either finds this one or is found
    /// in its snapshot.
    pub(crate) fn register(state: &mut State, index: usize) -> Option<()> {
        let node = state.nodes[index];
        let row = row(index, node.incarnation);
        Self::write(state, node.server, |server| server.registered = server.registered.with(row))?;
        let snapshot = state.servers[node.server].log;
        let node = &mut state.nodes[index];
        (node.life, node.applied) = (Life::Registered, Some(snapshot));
        Some(())
    }

    pub(crate) fn renew(state: &mut State, index: usize) {
        let (at, node) = (state.now, &mut state.nodes[index]);
        node.renewal = Renewal::Sent { at, applied: node.applied.unwrap_or_default() };
    }

    /// The server's side of a renewal. It is a write, which a deposed primary cannot complete.
    pub(crate) fn serve(self, state: &mut State, index: usize) -> Option<()> {
        let node = state.nodes[index];
        let Renewal::Sent { at, applied } = node.renewal else { return None };
        if !self.breaks(Rule::DurableRenewal) {
            Self::write(state, node.server, |_| {})?;
        }
        let server = state.servers[node.server];
        let same_chain = !self.compares_chains(Rule::ForkCheck) || applied.agrees(server.log, applied.head());
        let fenced = server.fenced.has(row(index, node.incarnation));
        state.nodes[index].renewal = Renewal::Answered { at, head: server.log.head(), same_chain, fenced };
        Some(())
    }

    pub(crate) fn receive(self, state: &mut State, index: usize) -> Option<()> {
        let (now, node) = (state.now, &mut state.nodes[index]);
        let Renewal::Answered { at, head, same_chain, fenced } = node.renewal else { return None };
        if fenced {
            node.begin_anew();
            return Some(());
        }
        if !same_chain {
            state.happened.note(Event::ForkFound);
            node.begin_anew();
            return Some(());
        }
        if node.applied.map_or(0, Log::head) < head && !self.breaks(Rule::ApplyBeforeLease) {
            return None;
        }
        node.renewal = Renewal::None;
        let from = if self.breaks(Rule::LeaseFromSend) { now } else { at };
        node.lease_until = node.lease_until.max(from + LEASE);
        Some(())
    }

    pub(crate) fn follow(state: &mut State, index: usize) -> Option<()> {
        let log = state.servers[state.nodes[index].server].log;
        let node = &mut state.nodes[index];
        node.applied.as_mut()?.follow(log);
        // Once the feed has brought it, nothing has to be remembered beside it.
        node.overlay &= !node.applied.is_some_and(Log::denies);
        Some(())
    }

    pub(crate) fn crash(self, state: &mut State, index: usize) {
        let node = &mut state.nodes[index];
        let before = *node;
        node.begin_anew();
        node.life = Life::Down;
        if self.breaks(Rule::LeaseDiesWithProcess) {
            // The file it starts from is of a time before everything.
            (node.applied, node.lease_until) = (Some(Log::default()), before.lease_until);
        }
        state.happened.note(Event::Crash);
    }

    /// One step of a request that came after the answer.
    pub(crate) fn check(self, state: &mut State, index: usize) {
        let (now, node) = (state.now, &mut state.nodes[index]);
        let leased = now < node.lease_until;
        let mut allowed = false;
        node.check = match node.check {
            Check::None => Check::Received,
            Check::Received if self.breaks(Rule::LeaseBeforeIndex) => {
                Check::IndexRead { denied: node.denies() }
            }
            Check::Received if leased => Check::LeaseSeen,
            Check::Received => Check::None,
            Check::LeaseSeen => {
                allowed = !node.denies();
                Check::None
            }
            Check::IndexRead { denied } => {
                allowed = leased && !denied;
                Check::None
            }
        };
        state.violated |= allowed;
    }
}
