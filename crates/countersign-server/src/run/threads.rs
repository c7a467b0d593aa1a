//! The threads of the data plane: one for each of its listeners, with a runtime of its own, so that a request is read,
//! decided and answered where it arrived and nothing is handed from thread to thread. The kernel spreads connections over
//! the listeners of one port (`SO_REUSEPORT`). Everything else of the process runs elsewhere and cannot keep them waiting.

use std::{convert::Infallible, io, net::TcpListener, sync::Arc, thread};

use hyper::service::service_fn;
use tokio::{runtime, sync::oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::dispatcher;

use crate::{
    error::Error,
    http::{
        data_plane::DataPlane,
        serve::{Listener, Protocols, Seats, serve},
    },
};

/// Answers on every listener until told to close; `doors` then waits for what is in flight.
pub(super) fn open(
    plane: impl Fn() -> Result<DataPlane, Error>,
    listeners: Vec<TcpListener>,
    doors: &TaskTracker,
    close: &CancellationToken,
) -> Result<(), Error> {
    let seats = Seats::default();
    for (number, listener) in listeners.into_iter().enumerate() {
        let (ended, end) = oneshot::channel();
        let serving = prepare(plane()?, listener, seats.clone(), close.child_token())
            .map_err(|error| Error::internal("a thread of the data plane", &error))?;
        // A thread logs to where its maker does.
        let log = dispatcher::get_default(Clone::clone);
        let run = move || {
            dispatcher::with_default(&log, serving);
            // Whoever waits for it has gone only where the process ends anyway.
            let _ = ended.send(());
        };
        thread::Builder::new()
            .name(format!("data-plane-{number}"))
            .spawn(run)
            .map_err(|error| Error::internal("a thread of the data plane", &error))?;
        doors.spawn(async {
            let _ = end.await;
        });
    }
    Ok(())
}

/// Makes the runtime, and what runs on its thread.
fn prepare(
    plane: DataPlane,
    listener: TcpListener,
    seats: Seats,
    close: CancellationToken,
) -> io::Result<impl FnOnce() + Send> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    listener.set_nonblocking(true)?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let protocols = if plane.app.settings.http2 { Protocols::Both } else { Protocols::Http1 };
    let metrics = plane.metrics.listener("data_plane");
    // One count for each thread: clones of one that all threads share would have them wait for each other, as its stop does.
    let plane = Arc::new(plane);
    let answer = service_fn(move |request| {
        let plane = Arc::clone(&plane);
        async move { Ok::<_, Infallible>(plane.serve(request).await) }
    });
    Ok(move || runtime.block_on(serve(Listener::Tcp(listener), protocols, answer, seats, metrics, close)))
}
