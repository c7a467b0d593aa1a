//! Looks at every reachable state of every scenario, and breaks every rule.

#![allow(clippy::print_stdout)]

use std::env;

use countersign_revocation_model::{Barrier, Bound, NO_ALLOW_AFTER_ANSWER, Rule, Scenario};
use stateright::{Checker as _, HasDiscoveries, Model as _, Path};

fn bound() -> Bound {
    if env::var_os("COUNTERSIGN_TEST_FULL").is_some() { Bound::Full } else { Bound::Quick }
}

/// What was found, by the names of the properties.
fn look(model: Barrier) -> Vec<&'static str> {
    let builder = model.checker().threads(2);
    // One counterexample is enough of a broken rule; a kept one is looked at to the end.
    let checker = match model.broken {
        Some(_) => builder.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join(),
        None => builder.spawn_bfs().join(),
    };
    let states = checker.unique_state_count();
    let found: Vec<_> = checker.discoveries().into_keys().collect();
    let unsafe_by = checker.discovery(NO_ALLOW_AFTER_ANSWER).map(Path::into_actions);
    let steps = unsafe_by.map_or_else(String::new, |steps| format!("; unsafe by {steps:?}"));
    println!("{:?}, broken {:?}: {states} states{steps}", model.scenario, model.broken);
    found
}

#[test]
fn no_scenario_allows_after_the_answer() {
    for scenario in Scenario::ALL {
        let found = look(Barrier { scenario, broken: None, bound: bound() });
        assert!(!found.contains(&NO_ALLOW_AFTER_ANSWER), "{scenario:?} is unsafe");
        // The other three are things that must be reached, or the first would hold of nothing.
        assert_eq!(found.len(), 3, "{scenario:?} reaches only {found:?}");
    }
}

#[test]
fn every_rule_is_needed() {
    for rule in Rule::ALL {
        let found = look(Barrier { scenario: rule.shown_in(), broken: Some(rule), bound: Bound::Full });
        assert!(found.contains(&NO_ALLOW_AFTER_ANSWER), "{rule:?} is broken and nothing happened");
    }
}
