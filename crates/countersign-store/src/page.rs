//! Keyset pages: a page starts after the last row of the one before, named by what the list is ordered by, so rows that
//! come and go in between neither repeat nor hide others. The text is plain; the server seals it.

use crate::{Page, PageAsk, limits::PAGE_ROWS_MAX, value::Value};

impl<T> Page<T> {
    pub(crate) fn empty() -> Self {
        Self { rows: Vec::new(), next: None }
    }
}

impl PageAsk {
    fn limit(&self) -> u32 {
        self.limit.clamp(1, PAGE_ROWS_MAX)
    }

    /// One row more than asked for: it tells whether there is a next page.
    pub(crate) fn rows_asked(&self) -> Value {
        Value::from(self.limit() + 1)
    }
}

/// The page of these rows, of which there is one too many where there is a next page.
pub(crate) fn paged<T>(mut rows: Vec<T>, ask: &PageAsk, place: impl Fn(&T) -> String) -> Page<T> {
    let limit = ask.limit() as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(place) } else { None };
    Page { rows, next }
}

/// Where a page of a list by text and id starts: `id/text`. `None` for a place no page ever gave.
pub(crate) fn by_text(ask: &PageAsk) -> Option<(String, String)> {
    match &ask.after {
        None => Some((String::new(), String::new())),
        Some(place) => place.split_once('/').map(|(id, text)| (text.to_owned(), id.to_owned())),
    }
}

/// Where a page of a list by time, newest first, and id starts: `id/millis`. `None` for a place no page ever gave.
pub(crate) fn by_time(ask: &PageAsk) -> Option<(i64, String)> {
    match &ask.after {
        None => Some((i64::MAX, String::new())),
        Some(place) => {
            let (id, millis) = place.split_once('/')?;
            Some((millis.parse().ok()?, id.to_owned()))
        }
    }
}

/// Where a page of a list by number, newest first, starts. `None` for a place no page ever gave.
pub(crate) fn by_number(ask: &PageAsk) -> Option<i64> {
    match &ask.after {
        None => Some(i64::MAX),
        Some(place) => place.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_place_makes_it_panic(after: String) {
            let ask = PageAsk { after: Some(after), limit: 1 };
            let _ = (by_text(&ask), by_time(&ask), by_number(&ask));
        }
    }
}
