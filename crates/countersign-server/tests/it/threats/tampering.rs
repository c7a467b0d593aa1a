//! Threat T-9: somebody who can write the database, and has no key. A database with every kind of row is changed in many
//! thousand ways; each copy is refused, or every decision of it is as narrow as before. Then it is shown that the
//! decisions asked would notice: stamped by somebody who does have the key, the same changes open doors.

mod asks;
pub mod dice;
mod mutations;
mod scene;

use std::collections::BTreeMap;

use self::{
    dice::Dice,
    mutations::{Mutation, WIDENING},
    scene::Scene,
};
use crate::threats::effort::{Deadline, is_full};

/// Databases changed, where there is time.
const MUTATIONS: u64 = 10_000;
const MUTATIONS_FULL: u64 = 100_000;
/// One in so many is opened whole even where the check alone refuses it: both must say the same.
const OPENED_WHOLE: u64 = 200;

/// What became of the copies of one kind.
#[derive(Default)]
struct Tally {
    refused: u64,
    harmless: u64,
}

#[tokio::test]
async fn no_changed_database_opens_a_door() {
    let scene = Scene::make().await;
    let before = scene.allowed(&scene.copy()).await.unwrap();
    assert!(before.len() > 40, "only {} things are allowed at all", before.len());
    let (count, deadline) = (if is_full() { MUTATIONS_FULL } else { MUTATIONS }, Deadline::budget(20));
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let mut dice = Dice::new(9);
    let mut done = 0;
    while done < count && !deadline.is_over() {
        let mutation = Mutation::draw(&scene, &mut dice);
        let copy = scene.copy();
        if !mutation.apply(&scene, &copy, &mut dice) {
            continue;
        }
        let tally = tallies.entry(mutation.name()).or_default();
        let refused = scene.is_refused(&copy);
        if refused {
            tally.refused += 1;
        }
        if !refused || done % OPENED_WHOLE == 0 {
            match scene.allowed(&copy).await {
                Err(_) if !refused => tally.refused += 1,
                Err(_) => {}
                Ok(_) if refused => panic!("{mutation:?}: the check refuses what opens"),
                Ok(after) => {
                    tally.harmless += 1;
                    let wider: Vec<_> = after.difference(&before).collect();
                    assert!(wider.is_empty(), "{mutation:?} opened {wider:?}");
                    assert!(!mutation.is_always_refused(), "{mutation:?} was not noticed");
                }
            }
        }
        done += 1;
    }
    println!("{done} changed databases, 0 wider decisions:");
    for (name, Tally { refused, harmless }) in tallies {
        println!("  {name}: {refused} refused, {harmless} no wider");
    }
    assert!(done > 20, "only {done} databases were changed");
}

#[tokio::test]
async fn the_decisions_asked_would_notice() {
    let scene = Scene::make().await;
    let before = scene.allowed(&scene.copy()).await.unwrap();
    for (what, sql) in WIDENING {
        let copy = scene.copy();
        let changed = scene.sql(&copy, sql).unwrap();
        assert!(changed > 0, "{what} changed nothing");
        assert!(scene.is_refused(&copy), "{what} was not noticed");
        // Whoever has the key stamps it as ours.
        scene.stamp(&copy);
        let after = scene.allowed(&copy).await.unwrap();
        assert!(after.difference(&before).next().is_some(), "{what}, stamped with the key, opened nothing");
    }
}
