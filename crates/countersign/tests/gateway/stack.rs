//! Everything a request passes: a gateway, Countersign behind a relay that can be broken, and a back end behind a relay
//! that sees every byte. And the ways to run one check through every gateway.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt as _, future::join_all};
use http_body_util::Full;
use hyper::Request;

use crate::{
    back_end::{Recorded, SampleApi},
    client::{self, Reply},
    countersign::{Account, Countersign, Token},
    gateways::{self, Between, Fault, Gateway, Running},
    relay::Relay,
};

/// Countersign, a gateway and a back end.
pub struct Stack {
    pub countersign: Arc<Countersign>,
    pub gateway: &'static Gateway,
    pub running: Running,
    /// Its name in Countersign.
    pub name: String,
    /// Between the gateway and Countersign.
    pub questions: Relay,
    /// Between the gateway and the back end.
    pub taken: Relay,
    back_end: Arc<SampleApi>,
}

impl Stack {
    /// Starts a gateway beside this Countersign, with its recipe as it is.
    pub async fn start(countersign: &Arc<Countersign>, gateway: &'static Gateway) -> Self {
        Self::start_with(countersign, gateway, gateway.name.to_owned(), None).await
    }

    /// Starts a gateway under a name, with its recipe as it is or with a fault.
    pub async fn start_with(
        countersign: &Arc<Countersign>,
        gateway: &'static Gateway,
        name: String,
        fault: Option<&Fault>,
    ) -> Self {
        let credential = countersign.gateway(&name, gateway.profile).await;
        let (back_end, address) = record().await;
        let (questions, taken) =
            (Relay::start(countersign.server.data_plane).await, Relay::start(address).await);
        let between = Between {
            data_plane: questions.address,
            back_end: taken.address,
            name: &name,
            credential: &credential,
        };
        let running = Running::start(gateway, fault, &between).await;
        Self { countersign: Arc::clone(countersign), gateway, running, name, questions, taken, back_end }
    }

    /// Makes an account of a kind that is this gateway's alone.
    pub async fn account(&self, kind: &str) -> Account {
        self.countersign.account_named(kind, &format!("{kind}-{}", self.name)).await
    }

    /// A request of an honest client through the gateway.
    pub async fn get(&self, target: &str, token: &Token) -> Reply {
        self.send(&format!("GET {target}"), &[("authorization", &token.basic())]).await
    }

    /// Any request through the gateway.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)]) -> Reply {
        self.pass(client::request(line, headers)).await
    }

    /// Any request, with its body.
    pub async fn pass(&self, request: Request<Full<Bytes>>) -> Reply {
        client::send(self.running.address, request).await
    }

    /// Bytes through the gateway.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        client::raw(self.running.address, bytes).await
    }

    /// What reached the back end since this was last asked.
    pub fn reached(&self) -> Vec<Recorded> {
        self.back_end.take_recorded()
    }
}

/// Runs a check through every gateway at once, all in front of one Countersign.
pub async fn beside_each_other(check: impl AsyncFn(&Stack)) {
    let countersign = Arc::new(Countersign::start().await);
    let all = gateways::ALL.iter().map(async |gateway| {
        let stack = Stack::start(&countersign, gateway).await;
        (gateway.name, AssertUnwindSafe(check(&stack)).catch_unwind().await.is_ok())
    });
    tell(join_all(all).await);
}

/// Runs a check through every gateway at once, each in front of a Countersign of its own: for checks that change or end it.
pub async fn each_with_its_own(check: impl AsyncFn(Stack)) {
    let all = gateways::ALL.iter().map(async |gateway| {
        let countersign = Arc::new(Countersign::start().await);
        let stack = Stack::start(&countersign, gateway).await;
        drop(countersign);
        (gateway.name, AssertUnwindSafe(check(stack)).catch_unwind().await.is_ok())
    });
    tell(join_all(all).await);
}

#[track_caller]
fn tell(all: Vec<(&str, bool)>) {
    let failed: Vec<&str> = all.into_iter().filter(|(_, is_fine)| !is_fine).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "fails through {failed:?}");
}

/// A back end that records.
pub async fn record() -> (Arc<SampleApi>, SocketAddr) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let back_end = Arc::new(SampleApi::new(true).unwrap());
    tokio::spawn(Arc::clone(&back_end).serve(listener));
    (back_end, address)
}

impl Recorded {
    /// The one value of a header; empty where it is not there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<&str> =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        assert!(values.len() <= 1, "{name}: {values:?}");
        values.first().copied().unwrap_or_default()
    }
}
