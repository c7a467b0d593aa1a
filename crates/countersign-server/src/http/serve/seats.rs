//! How many connections there may be: of a listener, and of one address. It counts and gives back; who is turned away is
//! for the accept loop to tell.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_model::address;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::{
    http::Peer,
    limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX},
};

/// The places of a listener. Clones share them: threads that accept from one port are one listener.
#[derive(Clone)]
pub struct Seats {
    all: Arc<Semaphore>,
    addresses: Addresses,
}

/// How many connections each address has.
type Addresses = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The place of one connection, given back when dropped.
pub(super) struct Seat {
    addresses: Addresses,
    unit: Option<IpAddr>,
    connections: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Default for Seats {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(CONNECTIONS_MAX)), addresses: Addresses::default() }
    }
}

impl Seats {
    /// Waits until there is a place for one more connection.
    pub(super) async fn wait(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.all).acquire_owned().await
    }

    /// How many addresses have connections.
    #[cfg(test)]
    pub(super) fn addresses(&self) -> usize {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// A place for one more connection of this peer, unless it has as many as it may.
    pub(super) fn take(&self, peer: Peer, permit: OwnedSemaphorePermit, connections: &Gauge) -> Option<Seat> {
        let unit = peer.0.map(address::counting_unit);
        if let Some(unit) = unit {
            let mut counts = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(unit).or_default();
            if *count >= CONNECTIONS_PER_ADDRESS_MAX {
                return None;
            }
            *count += 1;
        }
        connections.inc();
        Some(Seat {
            addresses: Arc::clone(&self.addresses),
            unit,
            connections: connections.clone(),
            _permit: permit,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.dec();
        let Some(unit) = self.unit else { return };
        let mut counts = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&unit) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&unit);
            }
        }
    }
}
