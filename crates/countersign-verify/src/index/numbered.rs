//! A list that only grows, by number. Its items stay where they are, so that readers need no lock and wait for nobody.

use std::sync::OnceLock;

/// Items of the first chunk; each next one is as large as all before.
const FIRST: usize = 64;
/// Enough for every 32-bit number.
const CHUNKS: usize = 27;

/// The list.
pub(crate) struct Numbered<T>([OnceLock<Box<[T]>>; CHUNKS]);

impl<T: Default> Numbered<T> {
    pub(crate) fn new() -> Self {
        Self([const { OnceLock::new() }; CHUNKS])
    }

    /// The item of this number, where there is room for it already.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let (chunk, place) = split(number);
        self.0[chunk].get()?.get(place)
    }

    /// The item of this number, with room made for it.
    pub(crate) fn item(&self, number: u32) -> Option<&T> {
        let (chunk, place) = split(number);
        let items = if chunk == 0 { FIRST } else { FIRST << (chunk - 1) };
        self.0[chunk].get_or_init(|| (0..items).map(|_| T::default()).collect()).get(place)
    }
}

/// The chunk of a number and its place in it.
fn split(number: u32) -> (usize, usize) {
    let number = number as usize;
    match number / FIRST {
        0 => (0, number),
        times => {
            let chunk = times.ilog2() as usize;
            (chunk + 1, number - (FIRST << chunk))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn every_number_has_an_item_of_its_own() {
        let list = Numbered::<AtomicU32>::new();
        assert!(list.get(0).is_none() && list.get(u32::MAX).is_none());
        for number in (0..5_000).rev() {
            list.item(number).unwrap().store(number, Ordering::Relaxed);
        }
        for number in 0..5_000 {
            assert_eq!(list.get(number).unwrap().load(Ordering::Relaxed), number);
        }
        for number in [FIRST - 1, FIRST, 2 * FIRST - 1, 2 * FIRST, 4 * FIRST, u32::MAX as usize] {
            let (chunk, place) = split(u32::try_from(number).unwrap());
            assert!(chunk < CHUNKS && place < if chunk == 0 { FIRST } else { FIRST << (chunk - 1) });
        }
    }
}
