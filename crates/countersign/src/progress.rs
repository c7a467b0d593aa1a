//! Bars on standard error that show how far long work is, where a terminal is there to see them.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts bytes.
pub fn bytes(total: u64) -> ProgressBar {
    bar(total, "{bar:40} {percent:>3} %  {bytes} of {total_bytes}  {elapsed}  {msg}")
}

/// A bar that counts things.
pub fn count(total: u64) -> ProgressBar {
    bar(total, "{bar:40} {percent:>3} %  {human_pos} of {human_len}  {elapsed}  {msg}")
}

fn bar(total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
