//! What a connection has left of the time it may keep us waiting, reckoned by itself; with connections it is tried in
//! `slow_readers_tests.rs`.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Keeps us waiting for this long and takes these bytes then, until its time is used up or it has done so often enough.
fn rounds(taking: &mut Taking, wait: Duration, bytes: usize) -> Option<u32> {
    let mut now = Instant::now();
    for round in 0..1_000 {
        let until = taking.begin(now);
        now += wait;
        if until <= now {
            return Some(round);
        }
        taking.settle(bytes, now);
    }
    None
}

#[test]
fn time_is_earned_by_the_byte_and_not_by_the_write() {
    let rate = usize::try_from(ANSWER_BYTES_PER_SEC_MIN).unwrap();
    let patience = u32::try_from(ANSWER_STALL_SECS).unwrap();
    for (name, wait, bytes, ended) in [
        ("nothing", SECOND * patience, 0, Some(0)),
        ("a byte a second", SECOND, 1, Some(patience)),
        ("half the rate", SECOND, rate / 2, Some(2 * patience - 2)),
        ("the rate", SECOND, rate, None),
        ("the rate, in large pieces", SECOND * 20, 20 * rate, None),
        ("all at once after very long", SECOND * patience, 1_000 * rate, Some(0)),
        ("much, late each time", SECOND * (patience - 1), 1_000 * rate, None),
    ] {
        assert_eq!(rounds(&mut Taking::default(), wait, bytes), ended, "{name}");
    }
}

#[test]
fn nothing_is_saved_up_and_what_was_used_is_earned_back() {
    let (mut taking, now) = (Taking::default(), Instant::now());
    taking.took(usize::MAX);
    assert_eq!(taking.left, PATIENCE);
    taking.begin(now);
    taking.settle(0, now + 3 * SECOND);
    assert_eq!(taking.left + 3 * SECOND, PATIENCE);
    // Writes that need not wait earn as well.
    taking.took(usize::try_from(ANSWER_BYTES_PER_SEC_MIN).unwrap());
    assert_eq!(taking.left + 2 * SECOND, PATIENCE);
    taking.took(usize::MAX);
    assert_eq!(taking.left, PATIENCE);
    assert!(taking.timer.is_none(), "nobody polled it");
}
