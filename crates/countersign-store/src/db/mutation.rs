//! For the crate's own tests: one statement is swapped for a weaker one, to prove that a test notices the loss of a
//! predicate. The swap belongs to the thread that opens a store and is handed to that store's threads, so tests side
//! by side do not see each other's.

use std::cell::RefCell;

/// A statement, and what is run in its place.
pub(crate) type Swap = Option<(String, String)>;

thread_local! {
    static SWAPPED: RefCell<Swap> = const { RefCell::new(None) };
}

/// Swaps for stores this thread opens from now on.
pub(crate) fn install(swap: Swap) {
    SWAPPED.set(swap);
}

pub(super) fn current() -> Swap {
    SWAPPED.with_borrow(Clone::clone)
}

pub(super) fn of(sql: &'static str) -> String {
    SWAPPED.with_borrow(|swap| match swap {
        Some((statement, weaker)) if statement == sql => weaker.clone(),
        _ => sql.to_owned(),
    })
}
