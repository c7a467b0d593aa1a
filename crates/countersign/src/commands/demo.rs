//! `countersign demo`: everything in one terminal. The server in this process on an embedded database, a demonstration
//! platform in it, a sample API and nginx as children, and lines to paste that show what Countersign does. Ctrl-C ends
//! all of it. It is a demonstration: its passwords and Auth Tokens lie in a file beside the data.

mod children;
mod platform;
mod record;
mod story;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{
    Desk,
    serve::{self, Server},
};
use crate::{
    config::{Config, Source},
    connection::Connection,
    failure::Failure,
    hardening,
    logging::LogLevel,
    output::{self, Format},
};
use children::Children;
use record::Record;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The sample API: a program that answers the catalog's operations
    #[arg(long, value_name = "PROGRAM")]
    sample_api: Option<PathBuf>,
    /// The script that installs Debian packages, for nginx where it is missing
    #[arg(long, value_name = "PROGRAM")]
    installer: Option<PathBuf>,
    /// Where nginx listens: the address of the demonstration's API
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    listen_nginx: SocketAddr,
    /// Where the sample API listens, behind nginx
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8481")]
    listen_sample: SocketAddr,
    /// Go on without nginx
    #[arg(long)]
    without_nginx: bool,
}

/// Runs the demonstration until it is asked to stop.
pub async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let config = for_one_terminal(config);
    LogLevel::start(&config);
    hardening::quiet_panics();
    hardening::harden();
    output::note(format!("Starting Countersign on {}.", config.data_dir.display()));
    let server = Server::start(&config).await?;
    let told = tell(&config, &arguments, &server).await;
    let ended = match told {
        Ok(children) => {
            let ended = wait(&children).await;
            children.stop().await;
            ended
        }
        Err(failure) => Err(failure),
    };
    output::note("Stopping.");
    server.stop().await.and(ended)
}

/// Fills the platform, starts the children and says what to do now.
async fn tell(config: &Config, arguments: &Arguments, server: &Server) -> Result<Children, Failure> {
    let desk = Desk { connection: Connection::Running { socket: config.socket() }, format: Format::Json };
    let mut record = Record::read(config)?;
    platform::fill(&desk, &mut record, server.bootstrap_code()).await?;
    record.write()?;
    // The demonstration has its operator; the code was used up or is of no more use.
    let _ = std::fs::remove_file(config.bootstrap_file());
    let children = Children::start(config, arguments, &record).await?;
    story::print(config, arguments, &record, &children);
    Ok(children)
}

async fn wait(children: &Children) -> Result<(), Failure> {
    tokio::select! {
        asked = serve::asked_to_stop() => asked,
        ended = children.one_ended() => Err(ended),
    }
}

/// The log of a demonstration tells warnings in words, unless somebody asked for others.
fn for_one_terminal(config: &Config) -> Config {
    let mut config = config.clone();
    if config.source("log.level") == Source::Default {
        "warn".clone_into(&mut config.log_level);
    }
    if config.source("log.format") == Source::Default {
        config.log_format = crate::config::LogFormat::Text;
    }
    config
}
