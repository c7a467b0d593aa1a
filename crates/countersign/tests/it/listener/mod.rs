//! The data-plane listener of a running server under those who mean it ill: slow connections, floods of frames and sign-ins,
//! smuggled requests; and a
//! token that ends while its connection stays open. `COUNTERSIGN_TEST_FULL=1` runs the full counts.

mod floods;
mod frames;
mod framing;
mod process;
mod revoked;
mod sign_ins;
mod slow;

/// How many, in full and otherwise.
fn count(full: usize, otherwise: usize) -> usize {
    if std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1") { full } else { otherwise }
}

/// The value below which 99 of 100 lie.
fn p99(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() * 99 / 100]
}
