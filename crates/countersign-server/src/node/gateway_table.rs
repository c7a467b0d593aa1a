//! The gateways that may ask, in memory: a door must not read the database to know its caller.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use countersign_model::{digest::Digest, id::GatewayId};
use countersign_store::{Gateway, Store};
use ipnet::IpNet;

use super::gateway_profile::GatewayProfile;
use crate::{error::Error, limits::TAG_RENEWALS_MAX};

/// A gateway ready to be recognised.
#[derive(Debug, Clone)]
pub struct LiveGateway {
    /// Its id.
    pub id: GatewayId,
    /// Its name.
    pub name: String,
    /// Keyed digest of its credential.
    pub credential: Digest,
    /// From where it may call; empty: from everywhere.
    pub peers: Vec<IpNet>,
    /// Its profile.
    pub profile: GatewayProfile,
    /// The back end its assertions are addressed to; `None`: it gets none.
    pub assertion_audience: Option<String>,
}

/// All gateways, by name.
#[derive(Default)]
pub struct GatewayTable {
    by_name: ArcSwap<HashMap<String, Arc<LiveGateway>>>,
    reloading: tokio::sync::Mutex<()>,
    renewals: Mutex<Vec<TagRenewal>>,
}

/// A gateway that proved itself under an older tag, and its tag of today.
#[derive(Debug, Clone)]
pub struct TagRenewal {
    /// Which gateway.
    pub id: GatewayId,
    /// The tag it has.
    pub before: Digest,
    /// The tag it is to have.
    pub after: Digest,
}

impl GatewayTable {
    /// Reads them from the store; called at start and after every change of a gateway. One at a time: who read before
    /// another change must not put its list in place after that change's own.
    pub async fn reload(&self, store: &Store) -> Result<(), Error> {
        let _alone = self.reloading.lock().await;
        let mut by_name = HashMap::new();
        for gateway in store.gateways().await? {
            let live = live(gateway)?;
            by_name.insert(live.name.clone(), Arc::new(live));
        }
        self.by_name.store(Arc::new(by_name));
        Ok(())
    }

    /// The gateway with this name.
    pub fn find(&self, name: &str) -> Option<Arc<LiveGateway>> {
        self.by_name.load().get(name).cloned()
    }

    /// The gateway whose credential has one of these tags, whatever its name.
    pub fn find_by_tags(&self, tags: &[Digest]) -> Option<Arc<LiveGateway>> {
        self.by_name.load().values().find(|gateway| tags.contains(&gateway.credential)).cloned()
    }

    /// Notes that a gateway proved itself by one of these tags, the first of which is that of today. Nobody waits for it:
    /// what does not fit is noted at its next call.
    pub fn note_proved(&self, gateway: &LiveGateway, tags: &[Digest]) {
        let Some(newest) = tags.first().filter(|newest| **newest != gateway.credential) else { return };
        let Ok(mut renewals) = self.renewals.try_lock() else { return };
        if renewals.len() < TAG_RENEWALS_MAX && renewals.iter().all(|one| one.id != gateway.id) {
            renewals.push(TagRenewal { id: gateway.id, before: gateway.credential, after: *newest });
        }
    }

    /// Takes what was noted.
    pub fn take_renewals(&self) -> Vec<TagRenewal> {
        std::mem::take(&mut *self.renewals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LiveGateway {
    /// Whether a call from this address can be its.
    pub fn calls_from(&self, peer: IpAddr) -> bool {
        let peer = countersign_model::address::normalise(peer);
        self.peers.is_empty() || self.peers.iter().any(|network| network.contains(&peer))
    }
}

fn live(gateway: Gateway) -> Result<LiveGateway, Error> {
    let profile =
        serde_json::from_str(&gateway.profile).map_err(|error| Error::internal("gateway profile", &error))?;
    Ok(LiveGateway {
        id: gateway.id,
        name: gateway.name,
        credential: gateway.credential,
        peers: gateway.peers,
        profile,
        assertion_audience: gateway.assertion_audience,
    })
}
