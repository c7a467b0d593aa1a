//! `countersign gateway`: who may ask for decisions. A gateway's credential is shown once.

pub mod config;
pub mod probe;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use http::Method;
use serde_json::json;

use super::Desk;
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column, Destination},
};

const PATH: &str = "/api/v1/gateways";
const COLUMNS: [Column<'static>; 5] = [
    ("NAME", "/name"),
    ("PROFILE", "/profile/recipe"),
    ("CREDENTIAL ENDS IN", "/credential_last4"),
    ("PEERS", "/peers"),
    ("CREATED", "/created_at"),
];
const MADE: [Column<'static>; 2] = [("NAME", "/gateway/name"), ("PEERS", "/gateway/peers")];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a gateway; prints its credential once
    Create {
        /// Its name: lower-case letters, digits and hyphens
        name: String,
        /// A network it may call from; can be given many times. None: from everywhere
        #[arg(long = "peer")]
        peers: Vec<String>,
        /// How it asks: as the configuration we ship for it does
        #[arg(long, default_value = "nginx")]
        profile: Profile,
        /// The back end its signed assertions are addressed to. None: it gets no assertions
        #[arg(long)]
        assertion_audience: Option<String>,
        /// Write the credential to this new file (mode 0600) instead of printing it
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// List gateways
    List,
    /// Give a gateway a new credential; the old one fails at once
    Reset {
        /// Its name
        name: String,
        /// Write the credential to this new file (mode 0600) instead of printing it
        #[arg(long)]
        out: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Remove a gateway; it is refused at once
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Write the configuration of a gateway, filled in, with its credential in a file of its own
    Config(config::Arguments),
    /// Drive a live gateway and say what passes that must not, with a fix for each
    Probe(probe::Arguments),
}

/// A configuration in `gateways/`.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Profile {
    /// nginx, by `auth_request`
    Nginx,
    /// HAProxy, by a Lua action
    Haproxy,
    /// Caddy, by `forward_auth`
    Caddy,
    /// Traefik, by `forwardAuth`
    Traefik,
    /// Envoy, by `ext_authz` over HTTP
    Envoy,
    /// Envoy, by `ext_authz` over gRPC
    EnvoyGrpc,
    /// Apache, by an access hook in Lua
    Apache,
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { name, peers, profile, assertion_audience, out } => {
            let destination = Destination::prepare(out)?;
            let profile = profile.to_possible_value().map(|profile| profile.get_name().to_owned());
            let new = json!({ "name": name, "peers": peers, "profile": profile, "assertion_audience": assertion_audience });
            let gateway = desk.ask(Ask::new(Method::POST, PATH).json(&new)).await?;
            output::credential(desk.format, &MADE, &gateway, "credential", destination)
        }
        Command::List => {
            output::rows(desk.format, &COLUMNS, &desk.list(PATH).await?);
            Ok(())
        }
        Command::Reset { name, out, yes } => {
            let path = find(&name)?;
            output::confirm(
                &format!("Gateway {name} is refused until it has the new credential."),
                &name,
                yes,
            )?;
            let destination = Destination::prepare(out)?;
            let gateway = desk.ask(Ask::new(Method::POST, format!("{path}/reset"))).await?;
            output::credential(desk.format, &MADE, &gateway, "credential", destination)
        }
        Command::Delete { name, yes } => {
            let path = find(&name)?;
            output::confirm(&format!("Everything behind gateway {name} is refused at once."), &name, yes)?;
            desk.ask(Ask::new(Method::DELETE, path)).await?;
            output::note(format!("Gateway {name} is gone."));
            Ok(())
        }
        // These were run before a connection was needed.
        Command::Config(_) | Command::Probe(_) => Ok(()),
    }
}

fn find(name: &str) -> Result<String, Failure> {
    let fits = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits {
        Ok(format!("{PATH}/{name}"))
    } else {
        Err(Failure::usage(format!("{name:?} is no name of a gateway")))
    }
}
