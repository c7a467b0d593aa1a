//! A bounded queue from async callers to a thread, with a second lane for what must not wait. Nobody blocks to put
//! something in: a full queue refuses.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::Error;

pub(super) struct Queue<T> {
    lanes: Mutex<Lanes<T>>,
    filled: Condvar,
    capacity: usize,
}

struct Lanes<T> {
    urgent: VecDeque<T>,
    normal: VecDeque<T>,
    closed: bool,
}

/// Which lane something waits in. Each has the whole capacity, so that a full one does not hold up the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Urgent,
    Normal,
}

/// Shuts the queue when its thread ends, for whatever reason: those who wait hear it instead of waiting for ever.
pub(super) struct ShutOnExit<'q, T>(pub(super) &'q Queue<T>);

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let lanes = Lanes { urgent: VecDeque::new(), normal: VecDeque::new(), closed: false };
        Self { lanes: Mutex::new(lanes), filled: Condvar::new(), capacity }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes<T>> {
        // Nothing that is done under this lock can leave the lanes half changed.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in. `Busy` when the lane is full, `Unavailable` when the queue is closed.
    pub(super) fn put(&self, item: T, lane: Lane) -> Result<(), Error> {
        let mut lanes = self.lanes();
        if lanes.closed {
            return Err(closed());
        }
        let lane = match lane {
            Lane::Urgent => &mut lanes.urgent,
            Lane::Normal => &mut lanes.normal,
        };
        if lane.len() >= self.capacity {
            return Err(Error::Busy);
        }
        lane.push_back(item);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for something and takes up to `most` of it, urgent first. Empty only when the queue is closed and done.
    pub(super) fn take(&self, most: usize) -> Vec<T> {
        let mut lanes = self.lanes();
        while lanes.urgent.is_empty() && lanes.normal.is_empty() && !lanes.closed {
            lanes = self.filled.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
        let urgent = lanes.urgent.len().min(most);
        let normal = lanes.normal.len().min(most - urgent);
        let mut taken: Vec<T> = lanes.urgent.drain(..urgent).collect();
        taken.extend(lanes.normal.drain(..normal));
        taken
    }

    /// Takes nothing new from now on; what waits is still done.
    pub(super) fn close(&self) {
        self.lanes().closed = true;
        self.filled.notify_all();
    }
}

impl<T> Drop for ShutOnExit<'_, T> {
    fn drop(&mut self) {
        self.0.close();
        let mut lanes = self.0.lanes();
        lanes.urgent.clear();
        lanes.normal.clear();
    }
}

pub(super) fn closed() -> Error {
    Error::Unavailable("it is closed; start Countersign again".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgent_first_and_never_more_than_fits() {
        let queue = Queue::new(2);
        queue.put(1, Lane::Normal).unwrap();
        queue.put(2, Lane::Normal).unwrap();
        assert!(matches!(queue.put(3, Lane::Normal), Err(Error::Busy)));
        queue.put(4, Lane::Urgent).unwrap();
        assert_eq!(queue.take(2), [4, 1]);
        queue.close();
        assert!(matches!(queue.put(5, Lane::Urgent), Err(Error::Unavailable(_))));
        assert_eq!(queue.take(2), [2]);
        assert!(queue.take(2).is_empty());
    }

    #[test]
    fn a_thread_that_ends_leaves_nobody_waiting() {
        let queue = Queue::new(2);
        queue.put(1, Lane::Normal).unwrap();
        drop(ShutOnExit(&queue));
        assert!(queue.take(1).is_empty());
    }
}
