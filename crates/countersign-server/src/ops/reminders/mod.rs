//! Reminders: what contacts hear because time passes, and not because somebody did something. Each is posted under a key
//! that is used once ever, so a restart or a second node posts nothing twice. Of the steps before one end only the last
//! that has come is posted: who was away for a month is told where things stand, not what was missed.

mod expiry;
mod overlaps;
mod post;
mod versions;

pub use expiry::remind_of_expiry;
pub use overlaps::remind_of_overlaps;
pub use versions::remind_of_versions;

use countersign_model::time::Timestamp;

use crate::limits::REMINDER_LATE_SECS_MAX;

const DAY_SECS: i64 = 24 * 3600;

/// The last of these steps whose moment has come, in their order; of two at one moment the later in the list. One that
/// came long ago is not due any more: what is remembered of it would be forgotten one day, and it would be told again.
fn due<T>(now: Timestamp, steps: impl IntoIterator<Item = (Timestamp, T)>) -> Option<(Timestamp, T)> {
    let last = steps.into_iter().filter(|(moment, _)| *moment <= now).max_by_key(|(moment, _)| *moment);
    last.filter(|(moment, _)| now < moment.plus_secs(REMINDER_LATE_SECS_MAX))
}

/// Whole days until an end, begun ones counted: what is left for whoever reads it.
fn days_left(now: Timestamp, end: Timestamp) -> i64 {
    let millis = end.unix_millis().saturating_sub(now.unix_millis());
    millis.max(0).unsigned_abs().div_ceil(DAY_SECS.unsigned_abs() * 1_000).cast_signed()
}

// Whatever is still due is remembered still.
const _: () = assert!(REMINDER_LATE_SECS_MAX < countersign_store::limits::ONCE_KEPT_SECS);

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::from_unix_secs(days * DAY_SECS)
    }

    #[test]
    fn only_the_last_step_that_has_come_is_due() {
        let steps = [(day(70), 30), (day(93), 7), (day(99), 1)];
        for (now, expected) in [
            (69, None),
            (70, Some(30)),
            (92, Some(30)),
            (93, Some(7)),
            (120, Some(1)),
            (99 + 364, Some(1)),
            (99 + 365, None),
        ] {
            assert_eq!(due(day(now), steps).map(|(_, step)| step), expected, "day {now}");
        }
        assert_eq!(due(day(5), [(day(5), 'a'), (day(5), 'b')]), Some((day(5), 'b')));
    }

    #[test]
    fn days_that_have_begun_count() {
        for (secs, expected) in [(0, 0), (1, 1), (DAY_SECS, 1), (DAY_SECS + 1, 2), (-5, 0)] {
            assert_eq!(days_left(day(10), day(10).plus_secs(secs)), expected, "{secs}");
        }
    }
}
