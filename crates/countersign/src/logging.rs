//! The log: one JSON object a line, or text, to standard error. The level can be changed while the process runs.

use std::io;

use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, registry::Registry, reload,
    util::SubscriberInitExt as _,
};

use crate::config::{Config, LogFormat};

/// Changes the level of the running log.
#[derive(Clone)]
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Starts the log as configured; the first call wins.
    pub fn start(config: &Config) -> Self {
        let (filter, handle) = reload::Layer::new(filter(&config.log_level));
        let lines = match config.log_format {
            LogFormat::Json => {
                tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed()
            }
            LogFormat::Text => {
                tracing_subscriber::fmt::layer().with_ansi(false).with_writer(io::stderr).boxed()
            }
        };
        // A log that was started already stays; there is nobody to tell.
        let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
        Self(handle)
    }

    /// Changes the level.
    pub fn change(&self, level: &str) {
        match self.0.reload(filter(level)) {
            Ok(()) => tracing::info!(level, "log level set"),
            Err(cause) => tracing::warn!(%cause, "the log level could not be changed"),
        }
    }
}

/// The filter of a level that `config` has checked. That somebody else's certificate is not trusted is told where it was
/// met, and is no error of ours: what checks certificates is silent unless it is named.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(format!("rustls_platform_verifier=off,{level}"))
        .unwrap_or_else(|_| EnvFilter::new("info"))
}
