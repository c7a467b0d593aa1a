//! A test in the manner of dudect (Reparaz, Balasch, Verbauwhede 2017): two or more classes measured in random order,
//! the slow end cropped at a place found beforehand, Welch's t between each two.
#![allow(clippy::print_stdout, reason = "the counts are part of what is proved")]

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use super::effort::Deadline;

/// Beyond this, two means differ for a reason and not by chance.
const T_MAX: f64 = 4.5;
/// What is kept; the slow end is interrupts, not us.
const KEPT_PERCENT: usize = 90;

/// Running mean and variance (Welford).
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn welch(&self, other: &Self) -> f64 {
        let error = |one: &Self| one.squares / (one.count - 1.0) / one.count;
        (self.mean - other.mean) / (error(self) + error(other)).sqrt()
    }
}

/// How many measurements: the pilot finds where to crop and is not counted.
pub struct Count {
    pub pilot: usize,
    pub full_per_class: usize,
    pub secs: u64,
}

/// Measures the classes and holds each two of them to the same mean. `measure` answers nanoseconds.
pub fn hold_equal(what: &str, classes: &[&str], count: &Count, mut measure: impl FnMut(usize) -> u64) {
    let mut order = ChaCha20Rng::seed_from_u64(44);
    let mut next = || order.next_u32() as usize % classes.len();
    let mut pilot: Vec<u64> = (0..count.pilot).map(|_| measure(next())).collect();
    pilot.sort_unstable();
    let crop = pilot[count.pilot * KEPT_PERCENT / 100];
    let (deadline, mut done) = (Deadline::secs(count.secs), 0);
    let mut moments = vec![Moments::default(); classes.len()];
    while !deadline.is_over() && done < classes.len() * count.full_per_class {
        let class = next();
        let took = measure(class);
        if took < crop {
            moments[class].add(u32::try_from(took).map_or(f64::MAX, f64::from));
        }
        done += 1;
    }
    println!("T-4, {what}: {done} measurements of {} classes", classes.len());
    let mut differ = Vec::new();
    for (first, one) in moments.iter().enumerate() {
        for (second, other) in moments.iter().enumerate().skip(first + 1) {
            let (t, names) = (one.welch(other), (classes[first], classes[second]));
            println!("  {names:?}: {:.0} and {:.0} ns, t = {t:.2}", one.mean, other.mean);
            assert!(one.count > 100.0 && other.count > 100.0, "too few of {names:?}");
            if t.abs() >= T_MAX {
                differ.push(names);
            }
        }
    }
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
}
