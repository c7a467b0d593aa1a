//! Which gateway calls. A gateway proves itself with its credential in one header, from a peer address it may call
//! from; nothing else a request says is looked at before that.

use std::sync::Arc;

use countersign_model::digest::Digest;
use hyper::header::{HeaderMap, HeaderValue};

use crate::{app::App, http::Peer, keys::Purpose, node::LiveGateway};

/// The header with the credential of a gateway.
pub const CREDENTIAL: &str = "x-countersign-gateway";

/// What the request says about the gateway it comes from.
pub enum Claim<'r> {
    /// Nothing.
    None,
    /// One credential.
    One(&'r [u8]),
    /// More than one.
    Many,
}

impl<'r> Claim<'r> {
    /// Reads the header.
    pub fn of(headers: &'r HeaderMap) -> Self {
        let mut lines = headers.get_all(CREDENTIAL).iter().map(HeaderValue::as_bytes);
        match (lines.next(), lines.next()) {
            (None, _) => Self::None,
            (Some(line), None) => Self::One(line),
            (Some(_), Some(_)) => Self::Many,
        }
    }
}

/// The gateway with this name, where the caller proves to be it.
pub fn named(app: &App, name: &str, claim: &Claim<'_>, peer: Peer) -> Option<Arc<LiveGateway>> {
    let &Claim::One(credential) = claim else { return None };
    // The tag is made for unknown names too, so that the time tells no names.
    let tags = app.keys.tags(Purpose::Gateway, credential);
    let gateway = app.gateways.find(name)?;
    let proved = tags.contains(&gateway.credential) && may_call_from(&gateway, peer);
    proved.then(|| noted(app, gateway, &tags))
}

/// The gateway whose credential the caller proves, whatever its name.
pub fn any(app: &App, claim: &Claim<'_>, peer: Peer) -> Option<Arc<LiveGateway>> {
    let &Claim::One(credential) = claim else { return None };
    let tags = app.keys.tags(Purpose::Gateway, credential);
    let gateway = app.gateways.find_by_tags(&tags).filter(|gateway| may_call_from(gateway, peer))?;
    Some(noted(app, gateway, &tags))
}

fn noted(app: &App, gateway: Arc<LiveGateway>, tags: &[Digest]) -> Arc<LiveGateway> {
    app.gateways.note_proved(&gateway, tags);
    gateway
}

/// A caller without an address, over a unix socket, is only a gateway that may call from everywhere.
fn may_call_from(gateway: &LiveGateway, peer: Peer) -> bool {
    peer.0.map_or(gateway.peers.is_empty(), |peer| gateway.calls_from(peer))
}
