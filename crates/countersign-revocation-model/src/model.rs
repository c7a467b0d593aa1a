//! The model as the checker wants it: which steps are possible, what a step does, what must hold.

use stateright::{Model, Property};

use crate::{
    Action, Bound, Rule, Scenario, State,
    state::{Check, Event, INCARNATIONS, Life, NODES, Phase, Renewal, row},
};

/// The name of the promise.
pub const NO_ALLOW_AFTER_ANSWER: &str = "no request that came after the answer is allowed";

/// The node that may be killed, fenced and paused, and whose requests are watched. The other one is there to be waited
/// for. It could do nothing that this one does not do, so it keeps no lease and answers nobody: a tenth of the states.
const WATCHED: usize = 0;

/// The protocol in one scenario.
#[derive(Debug, Clone, Copy)]
pub struct Barrier {
    /// What may happen.
    pub scenario: Scenario,
    /// The rule that is not kept.
    pub broken: Option<Rule>,
    /// How far to look.
    pub bound: Bound,
}

impl Barrier {
    pub(crate) fn breaks(self, rule: Rule) -> bool {
        self.broken == Some(rule)
    }

    fn has_failover(self) -> bool {
        matches!(self.scenario, Scenario::Failover | Scenario::Divergence)
    }

    fn writer_actions(self, state: &State, actions: &mut Vec<Action>) {
        match state.writer.phase {
            Phase::Before => {
                actions.push(Action::Commit);
                if self.breaks(Rule::NodesAfterCommit) && !state.writer.read_early {
                    actions.push(Action::ReadNodesEarly);
                }
                if self.scenario == Scenario::Failover && state.promoted && state.writer.server == 0 {
                    actions.push(Action::CommitUnreplicated);
                }
            }
            Phase::Committed => actions.push(Action::Learn),
            Phase::Waiting => actions.push(Action::Answer),
            Phase::Answered if self.scenario == Scenario::Restore && !state.happened.has(Event::Restore) => {
                actions.push(Action::Restore);
            }
            Phase::Answered => {}
        }
        if self.has_failover() && !state.promoted {
            actions.push(Action::Promote);
        }
        if state.promoted && state.writer.server == 0 {
            actions.push(Action::WriterTurns);
        }
    }

    fn other_actions(self, state: &State, actions: &mut Vec<Action>) {
        let leased = state.now < state.nodes[WATCHED].lease_until;
        let once = [
            (
                matches!(self.scenario, Scenario::SecondChange | Scenario::DenyLane),
                Event::Other,
                Action::CommitOther,
            ),
            (self.scenario == Scenario::Divergence && state.promoted, Event::Phantom, Action::CommitPhantom),
            (self.scenario == Scenario::Fence, Event::Fence, Action::Fence(WATCHED)),
            (self.scenario == Scenario::Crash, Event::Crash, Action::Crash(WATCHED)),
            (self.scenario == Scenario::Pause && leased, Event::Pause, Action::Pause(WATCHED)),
        ];
        let possible = once.into_iter().filter(|(may, event, _)| *may && !state.happened.has(*event));
        actions.extend(possible.map(|(.., action)| action));
    }

    fn node_actions(self, state: &State, index: usize, actions: &mut Vec<Action>) {
        let node = &state.nodes[index];
        if state.promoted && node.server == 0 {
            actions.push(Action::NodeTurns(index));
        }
        if node.life == Life::Registered {
            if index == WATCHED {
                actions.extend(
                    match node.renewal {
                        Renewal::None => [Some(Action::Renew(index)), None],
                        Renewal::Sent { .. } => [Some(Action::Serve(index)), Some(Action::Lose(index))],
                        Renewal::Answered { .. } => [Some(Action::Receive(index)), Some(Action::Lose(index))],
                    }
                    .into_iter()
                    .flatten(),
                );
            }
            actions.push(Action::Follow(index));
            self.lane_actions(state, index, actions);
        } else {
            actions.push(Action::Register(index));
        }
        let answers = node.check != Check::None || state.writer.phase == Phase::Answered;
        if index == WATCHED && node.applied.is_some() && answers {
            actions.push(Action::Check(index));
        }
    }

    fn lane_actions(self, state: &State, index: usize, actions: &mut Vec<Action>) {
        let node = &state.nodes[index];
        if state.writer.phase == Phase::Waiting {
            if self.scenario == Scenario::DenyLane && !node.denies() {
                actions.push(Action::Push(index));
            }
            if state.writer.waits_for.has(row(index, node.incarnation)) {
                actions.push(Action::Acknowledge(index));
            }
        }
        if node.overlay && self.breaks(Rule::OverlayIsKept) {
            actions.push(Action::Forget(index));
        }
    }

    fn step(self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Tick => state.now += 1,
            Action::Promote => state.promoted = true,
            Action::WriterTurns => state.writer.server = 1,
            Action::NodeTurns(node) => {
                state.nodes[node].server = 1;
                state.nodes[node].renewal = Renewal::None;
            }
            Action::ReadNodesEarly => {
                state.writer.waits_for = state.servers[state.writer.server].registered;
                state.writer.read_early = true;
            }
            Action::Commit => {
                self.commit(state)?;
                state.writer.phase = Phase::Committed;
            }
            Action::CommitUnreplicated => {
                Self::commit_unreplicated(state)?;
                if self.breaks(Rule::WarningIsUnknown) {
                    state.writer.phase = Phase::Committed;
                }
            }
            Action::CommitOther => self.commit_other(state)?,
            Action::CommitPhantom => Self::commit_phantom(state)?,
            Action::Learn => self.learn(state),
            Action::Answer => {
                self.may_answer(state).then_some(())?;
                Self::answer(state);
            }
            Action::Fence(node) => Self::fence(state, node)?,
            Action::Restore => self.restore(state),
            Action::Register(node) => Self::register(state, node)?,
            Action::Renew(node) => Self::renew(state, node),
            Action::Serve(node) => self.serve(state, node)?,
            Action::Lose(node) => state.nodes[node].renewal = Renewal::None,
            Action::Receive(node) => self.receive(state, node)?,
            Action::Follow(node) => Self::follow(state, node)?,
            Action::Push(node) => state.nodes[node].overlay = true,
            Action::Forget(node) => state.nodes[node].overlay = false,
            Action::Acknowledge(node) => self.acknowledge(state, node)?,
            Action::Crash(node) => self.crash(state, node),
            Action::Pause(node) => {
                state.nodes[node].lease_until += 1;
                state.happened.note(Event::Pause);
            }
            Action::Check(node) => self.check(state, node),
        }
        Some(())
    }
}

impl Model for Barrier {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violated {
            return;
        }
        if state.now < self.scenario.end(self.bound) {
            actions.push(Action::Tick);
        }
        self.writer_actions(state, actions);
        self.other_actions(state, actions);
        for index in 0..NODES {
            self.node_actions(state, index, actions);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.step(&mut state, action)?;
        let started = state.nodes.iter().all(|node| node.incarnation < INCARNATIONS);
        (started && state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // A promise that nothing could break is no promise: each scenario must reach what it is about.
        vec![
            Property::always(NO_ALLOW_AFTER_ANSWER, |_, state: &State| !state.violated),
            Property::sometimes("answered because all nodes acknowledged", |_, state: &State| {
                state.writer.phase == Phase::Answered && state.happened.has(Event::AnsweredByAcks)
            }),
            Property::sometimes("answered because the wait was over", |_, state: &State| {
                state.writer.phase == Phase::Answered && !state.happened.has(Event::AnsweredByAcks)
            }),
            Property::sometimes("what the scenario is about happened", |model: &Self, state| {
                model.is_reached(state)
            }),
        ]
    }
}

impl Barrier {
    fn is_reached(self, state: &State) -> bool {
        let (watched, has) = (&state.nodes[WATCHED], |event| state.happened.has(event));
        let serves = state.now < watched.lease_until;
        let answered = state.writer.phase == Phase::Answered;
        match self.scenario {
            Scenario::Plain => answered && serves,
            Scenario::Crash => has(Event::Crash) && answered && serves,
            Scenario::Fence => has(Event::Fence) && watched.incarnation > 0 && serves,
            Scenario::Failover => state.promoted && answered && serves,
            Scenario::SecondChange => has(Event::Other) && answered && serves,
            Scenario::Pause => has(Event::Pause) && answered,
            Scenario::Divergence => has(Event::ForkFound) || self.breaks(Rule::ForkCheck),
            Scenario::DenyLane => has(Event::AheadOfFeed) && answered,
            Scenario::Restore => has(Event::Restore) && serves,
        }
    }
}
