//! The one way commands reach an installation: its management API, through the unix socket of the running server, or,
//! when nobody holds the data directory's lock, through the same router in this process. What a command may do is
//! decided behind that API, so there is no second set of rules here.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use countersign_server::{
    app::App,
    clock::Clock,
    http::{self as doors, Door},
    open::{DATABASE_FILE, OpenError, OpenOptions},
    ops::{
        backup::{self, Manifest},
        keys,
        passwords::PasswordCost,
    },
    random::Random,
};
use countersign_store::Store;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited, combinators::UnsyncBoxBody};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{config::Config, failure::Failure, lock::DataLock, upload::Upload};

type AnyError = Box<dyn std::error::Error + Send + Sync>;
/// Takes the pieces of an answer as they come, each with the length of the whole where that is known.
type Take<'t> = &'t mut (dyn FnMut(&[u8], Option<u64>) -> Result<(), Failure> + Send);
type Answered = Response<UnsyncBoxBody<Bytes, AnyError>>;

/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long an answer may take: an import of the largest file fits.
const ANSWER_WITHIN: Duration = Duration::from_mins(10);
/// How often a rotation of keys is asked how far it is.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A way to the management API.
pub enum Connection {
    /// Through the running server.
    Running {
        /// Its socket.
        socket: PathBuf,
    },
    /// In this process, which holds the lock.
    Own(Box<OwnInstallation>),
}

/// An installation opened by this process.
pub struct OwnInstallation {
    app: Arc<App>,
    stop: CancellationToken,
    _lock: DataLock,
}

/// What the management API answered, when it was no refusal.
#[derive(Debug)]
pub struct Answer {
    /// The body; `Null` where there was none.
    pub body: Value,
    /// The ETag, for the next `If-Match`.
    pub etag: Option<String>,
}

/// What is asked of the management API.
pub struct Ask {
    method: Method,
    path: String,
    content_type: &'static str,
    body: Upload,
    if_match: Option<String>,
}

impl Ask {
    /// A reading request.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A request with this method and no body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            content_type: "application/json",
            body: Upload::new(Bytes::new()),
            if_match: None,
        }
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Upload::new(Bytes::from(body.to_string()));
        self
    }

    /// The same with a body of another type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: Upload) -> Self {
        (self.content_type, self.body) = (content_type, body);
        self
    }

    /// The same, on condition that nobody changed it since.
    #[must_use]
    pub fn if_match(mut self, etag: Option<String>) -> Self {
        self.if_match = etag;
        self
    }

    fn request(self) -> Result<Request<Upload>, Failure> {
        let mut request =
            Request::builder().method(self.method).uri(self.path).header(header::HOST, "countersign");
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.content_type);
        }
        if let Some(etag) = self.if_match {
            request = request.header(header::IF_MATCH, etag);
        }
        request.body(self.body).map_err(|error| Failure::usage(format!("this cannot be asked: {error}")))
    }
}

impl Connection {
    /// Finds the way: the lock when it is free, else the running server.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        let data_dir = config.data_dir.display();
        let is_new = match &config.database_url {
            Some(url) => Store::is_new_postgres(url.reveal())
                .map_err(|cause| Failure::unavailable(format!("cannot open the database {url}: {cause}")))?,
            None => !config.data_dir.join(DATABASE_FILE).exists(),
        };
        if let (true, Some(url)) = (is_new, &config.database_url) {
            return Err(Failure::unavailable(format!(
                "there is no installation in {url}; make one with `countersign serve`"
            )));
        }
        if is_new {
            return Err(Failure::unavailable(format!(
                "there is no installation in {data_dir}; make one with `countersign serve`, or name another directory with --data-dir"
            )));
        }
        // With the data on a server, this may be the first time that something is done in this directory.
        match DataLock::try_take(config, config.database_url.is_some())? {
            Some(lock) => Ok(Self::Own(Box::new(OwnInstallation::open(config, lock).await?))),
            None => Ok(Self::Running { socket: config.socket() }),
        }
    }

    /// Asks. A refusal of the API is a failure with its own words.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        let answered = tokio::time::timeout(ANSWER_WITHIN, async {
            let (parts, body) = self.send(ask).await?.into_parts();
            Ok::<_, Failure>((parts, gather(body).await?))
        });
        let (parts, bytes) = answered.await.map_err(|_| silent())??;
        let etag = parts.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        Ok(Answer { body: parsed(&bytes), etag })
    }

    /// Asks for lines, and copies them as they come; answers how many.
    pub async fn copy(&self, ask: Ask, sink: &mut (dyn io::Write + Send)) -> Result<u64, Failure> {
        let mut lines = 0;
        let mut take = |piece: &[u8], _: Option<u64>| {
            lines += piece.split(|byte| *byte == b'\n').count() as u64 - 1;
            sink.write_all(piece).map_err(|cause| cannot_write(&cause))
        };
        self.stream(ask, &mut take).await?;
        sink.flush().map_err(|cause| cannot_write(&cause))?;
        Ok(lines)
    }

    /// Asks for bytes, and hands them on as they come, with the length of the whole where the server tells it.
    pub async fn stream(&self, ask: Ask, take: Take<'_>) -> Result<(), Failure> {
        let answered = tokio::time::timeout(ANSWER_WITHIN, self.send(ask));
        let (parts, mut body) = answered.await.map_err(|_| silent())??.into_parts();
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|cause| Failure::unavailable(format!("the answer broke off: {cause}")))?;
            if let Ok(piece) = frame.into_data() {
                take(&piece, length)?;
            }
        }
        Ok(())
    }

    async fn send(&self, ask: Ask) -> Result<Answered, Failure> {
        let request = ask.request()?;
        let response = match self {
            Self::Running { socket } => through_socket(socket, request).await?,
            Self::Own(own) => in_process(&own.app, request).await,
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        Err(refusal(parts.status, &parsed(&gather(body).await?)))
    }

    /// Waits a moment for the server to go on with a rotation of keys, or, where there is no server, goes on with it.
    pub async fn wait_or_work(&self) -> Result<(), Failure> {
        match self {
            Self::Running { .. } => tokio::time::sleep(LOOK_AGAIN_AFTER).await,
            Self::Own(own) => {
                keys::step(&own.app).await.map_err(Failure::unavailable)?;
            }
        }
        Ok(())
    }

    /// Ends what was opened here. Everything answered is on disk before; this leaves the files tidy.
    pub async fn close(self) {
        if let Self::Own(own) = self {
            own.stop.cancel();
            if let Some(app) = Arc::into_inner(own.app) {
                let _ = app.close().await;
            }
        }
    }
}

impl OwnInstallation {
    /// Opens the installation under its lock.
    pub async fn open(config: &Config, lock: DataLock) -> Result<Self, Failure> {
        let stop = CancellationToken::new();
        let app = open_app(config, stop.clone()).await?;
        Ok(Self { app, stop, _lock: lock })
    }

    /// The same, whatever later state the anchor beside the keys tells of.
    async fn open_rolled_back(config: &Config, lock: DataLock) -> Result<Self, Failure> {
        let stop = CancellationToken::new();
        let options = OpenOptions { accept_rollback: true, ..options(config, stop.clone()) };
        let app = App::open(options).await.map_err(unopened)?;
        Ok(Self { app, stop, _lock: lock })
    }
}

/// Opens an installation whose database was just put back from a backup, and notes that in its audit trail.
pub async fn open_restored(config: &Config, lock: DataLock, manifest: &Manifest) -> Result<(), Failure> {
    let own = OwnInstallation::open_rolled_back(config, lock).await?;
    let noted = backup::note_restored(&own.app, manifest).await.map_err(Failure::unavailable);
    Connection::Own(Box::new(own)).close().await;
    noted
}

/// Opens the application as configured.
pub async fn open_app(config: &Config, stop: CancellationToken) -> Result<Arc<App>, Failure> {
    App::open(options(config, stop)).await.map_err(unopened)
}

/// Takes the database as it is and notes that, whatever later state the anchor beside the keys tells of.
pub async fn accept_rollback(config: &Config, lock: DataLock) -> Result<(), Failure> {
    let own = OwnInstallation::open_rolled_back(config, lock).await?;
    Connection::Own(Box::new(own)).close().await;
    Ok(())
}

fn unopened(error: OpenError) -> Failure {
    if error.is_finding() { Failure::refused(error) } else { Failure::unavailable(error) }
}

fn options(config: &Config, stop: CancellationToken) -> OpenOptions {
    OpenOptions {
        data_dir: config.data_dir.clone(),
        database_url: config.database_url.clone(),
        keys_dir: config.keys_dir.clone(),
        settings: config.app_settings(),
        clock: Clock::system(),
        random: Random::System,
        password_cost: PasswordCost::standard(),
        accept_rollback: false,
        stop,
    }
}

async fn in_process(app: &Arc<App>, request: Request<Upload>) -> Answered {
    let router = doors::management(Arc::clone(app), Door::LocalSocket);
    let Ok(response) = router.oneshot(request).await;
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

async fn through_socket(socket: &Path, request: Request<Upload>) -> Result<Answered, Failure> {
    let gone = |cause: &dyn std::fmt::Display| {
        Failure::unavailable(format!(
            "the server that holds the data directory does not answer on {}: {cause}; it may be starting or stopping, so try again",
            socket.display()
        ))
    };
    let stream = UnixStream::connect(socket).await.map_err(|cause| gone(&cause))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|cause| gone(&cause))?;
    // The connection ends by itself once the answer was read and the sender is gone.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|cause| gone(&cause))?;
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

async fn gather(body: UnsyncBoxBody<Bytes, AnyError>) -> Result<Bytes, Failure> {
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    Ok(body.map_err(|cause| Failure::unavailable(format!("the answer broke off: {cause}")))?.to_bytes())
}

fn parsed(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

fn silent() -> Failure {
    Failure::unavailable("the server does not answer; look at its log")
}

fn cannot_write(cause: &io::Error) -> Failure {
    Failure::unavailable(format!("cannot write the answer: {cause}"))
}

/// A problem (RFC 9457) in the words of the server.
fn refusal(status: StatusCode, problem: &Value) -> Failure {
    let member = |name: &str| problem.get(name).and_then(Value::as_str);
    let detail = member("detail").or_else(|| member("title")).unwrap_or("no reason was given");
    let code = member("code").unwrap_or(status.as_str());
    let request = member("request_id").map(|id| format!(", request {id}")).unwrap_or_default();
    let text = format!("{detail} ({code}{request})");
    if status.is_server_error() { Failure::unavailable(text) } else { Failure::refused(text) }
}
