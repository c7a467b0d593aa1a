//! Runs an opened installation: its listeners and background tasks, from the first request to an orderly end. It binds
//! no port and hears no signal: the binary hands it listeners and a stop.

mod threads;

use std::{convert::Infallible, net, sync::Arc, time::Duration};

use axum::Router;
use hyper::{Request, service::service_fn};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::util::MapRequest;

use crate::{
    app::App,
    error::Error,
    http::{
        self, Door,
        data_plane::DataPlane,
        health::{Health, Readiness},
        metrics::Metrics,
        serve::{Listener, Protocols, RequestBody, Seats, serve},
    },
    limits::NOT_READY_SECS,
    node::{UsageFlush, Vitals, announce, deliver, keep_checkpoints, remind, rotate, sweep},
    random::RequestIds,
};

/// The bound listeners.
pub struct Listeners {
    /// Console and management API.
    pub management: TcpListener,
    /// Verification: one for each of its threads, all of one address.
    pub data_plane: Vec<net::TcpListener>,
    /// Health and metrics.
    pub health: TcpListener,
    /// The management API for the command line, with operator rights.
    pub socket: Option<UnixListener>,
}

/// Serves until `stop`; then tells load balancers for a moment, finishes what is in flight, writes the last uses and
/// closes the store.
pub async fn run(app: Arc<App>, listeners: Listeners, stop: CancellationToken) -> Result<(), Error> {
    let (metrics, readiness) = (Arc::new(Metrics::default()), Arc::new(Readiness::default()));
    let (doors, health, tasks) = (TaskTracker::new(), TaskTracker::new(), TaskTracker::new());
    let (close_doors, close_health, end_tasks) =
        (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());

    let uses = UsageFlush::begin(&app, metrics.uses_delayed.clone()).await?;

    open_doors(&app, listeners.management, listeners.socket, &metrics, &doors, &close_doors);
    let plane = || {
        Ok(DataPlane {
            app: Arc::clone(&app),
            metrics: Arc::clone(&metrics),
            readiness: Arc::clone(&readiness),
            ids: RequestIds::new(&app.random)?,
        })
    };
    threads::open(plane, listeners.data_plane, &doors, &close_doors)?;
    open_health(&app, listeners.health, &metrics, &readiness, &health, &close_health);
    tasks.spawn(uses.run(end_tasks.clone()));
    tasks.spawn(Arc::clone(&app.anchor).keep(app.clock.clone(), end_tasks.clone()));
    tasks.spawn(sweep(Arc::clone(&app), end_tasks.clone()));
    tasks.spawn(rotate(Arc::clone(&app), end_tasks.clone()));
    tasks.spawn(remind(Arc::clone(&app), end_tasks.clone()));
    tasks.spawn(announce(Arc::clone(&app), end_tasks.clone()));
    tasks.spawn(deliver(Arc::clone(&app), end_tasks.clone()));
    tasks.spawn(keep_checkpoints(Arc::clone(&app), end_tasks.clone()));
    readiness.started();

    stop.cancelled().await;
    readiness.draining();
    tracing::info!("stopping: not ready from now on");
    tokio::time::sleep(Duration::from_secs(NOT_READY_SECS)).await;
    finish(&doors, &close_doors).await;
    finish(&tasks, &end_tasks).await;
    finish(&health, &close_health).await;
    app.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Tells tasks to end, and waits until they have.
async fn finish(tasks: &TaskTracker, end: &CancellationToken) {
    end.cancel();
    tasks.close();
    tasks.wait().await;
}

fn open_doors(
    app: &Arc<App>,
    management: TcpListener,
    socket: Option<UnixListener>,
    metrics: &Arc<Metrics>,
    doors: &TaskTracker,
    close: &CancellationToken,
) {
    let public = management_at(app, Door::Public);
    doors.spawn(serve(
        Listener::Tcp(management),
        Protocols::Http1,
        public,
        Seats::default(),
        metrics.listener("management"),
        close.clone(),
    ));
    if let Some(socket) = socket {
        let local = management_at(app, Door::LocalSocket);
        doors.spawn(serve(
            Listener::Unix(socket),
            Protocols::Http1,
            local,
            Seats::default(),
            metrics.listener("socket"),
            close.clone(),
        ));
    }
}

/// The management API behind a door. Its extractors look for the peer among the extensions of a request.
fn management_at(app: &Arc<App>, door: Door) -> TowerToHyperService<MapRequest<Router, NotePeer>> {
    let note: NotePeer = |mut request| {
        let peer = request.body().peer();
        request.extensions_mut().insert(peer);
        request
    };
    TowerToHyperService::new(MapRequest::new(http::management(Arc::clone(app), door), note))
}

type NotePeer = fn(Request<RequestBody>) -> Request<RequestBody>;

fn open_health(
    app: &Arc<App>,
    listener: TcpListener,
    metrics: &Arc<Metrics>,
    readiness: &Arc<Readiness>,
    tasks: &TaskTracker,
    close: &CancellationToken,
) {
    let vitals = Vitals::of(Arc::clone(app));
    let health = Health { vitals, metrics: Arc::clone(metrics), readiness: Arc::clone(readiness) };
    let answer = service_fn(move |request| {
        let health = health.clone();
        async move { Ok::<_, Infallible>(health.answer(request).await) }
    });
    tasks.spawn(serve(
        Listener::Tcp(listener),
        Protocols::Http1,
        answer,
        Seats::default(),
        metrics.listener("health"),
        close.clone(),
    ));
}
