//! `countersign webhook`: the webhooks of the platform, which hear of every account. A signing secret is shown once.

use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::{Desk, listing::text};
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column, Destination},
};

const PATH: &str = "/api/v1/webhooks";
const COLUMNS: [Column<'static>; 5] = [
    ("ID", "/id"),
    ("URL", "/url"),
    ("EVENTS", "/events"),
    ("ENABLED", "/enabled"),
    ("FAILING SINCE", "/failing_since"),
];
const MADE: [Column<'static>; 2] = [("ID", "/webhook/id"), ("URL", "/webhook/url")];
const DELIVERIES: [Column<'static>; 6] = [
    ("POSTED", "/created_at"),
    ("EVENT", "/event"),
    ("STATE", "/state"),
    ("TRIES", "/tries"),
    ("ANSWER", "/code"),
    ("REASON", "/reason"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a webhook; prints its signing secret once
    Create {
        /// Where requests go: https://hooks.example.com/countersign
        url: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// An event it hears, such as token.reset; can be given many times. None: all of them
        #[arg(long = "event")]
        events: Vec<String>,
        /// Write the secret to this new file (mode 0600) instead of printing it
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// List webhooks
    List,
    /// Send a test to a webhook
    Test {
        /// Its id, or its URL
        webhook: String,
    },
    /// List what was sent to a webhook, newest first
    Deliveries {
        /// Its id, or its URL
        webhook: String,
    },
    /// Give a webhook a new signing secret; requests are signed with both for a day
    Rotate {
        /// Its id, or its URL
        webhook: String,
        /// Write the secret to this new file (mode 0600) instead of printing it
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Enable a webhook, and forget that it failed
    Enable {
        /// Its id, or its URL
        webhook: String,
    },
    /// Disable a webhook; it is told nothing until it is enabled
    Disable {
        /// Its id, or its URL
        webhook: String,
    },
    /// Remove a webhook
    Delete {
        /// Its id, or its URL
        webhook: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { url, description, events, out } => {
            let body = json!({ "url": url, "description": description, "events": events });
            let destination = Destination::prepare(out)?;
            let made = desk.ask(Ask::new(Method::POST, PATH).json(&body)).await?;
            output::credential(desk.format, &MADE, &made, "signing_secret", destination)
        }
        Command::List => {
            output::rows(desk.format, &COLUMNS, &desk.list(PATH).await?);
            Ok(())
        }
        Command::Test { webhook } => {
            let path = path_of(&find(desk, &webhook).await?);
            desk.ask(Ask::new(Method::POST, format!("{path}/test"))).await?;
            output::note("A test is on its way; `webhook deliveries` shows what comes of it.");
            Ok(())
        }
        Command::Deliveries { webhook } => {
            let path = path_of(&find(desk, &webhook).await?);
            output::rows(desk.format, &DELIVERIES, &desk.list(&format!("{path}/deliveries")).await?);
            Ok(())
        }
        Command::Rotate { webhook, out } => {
            let path = path_of(&find(desk, &webhook).await?);
            let destination = Destination::prepare(out)?;
            let made = desk.ask(Ask::new(Method::POST, format!("{path}/rotate"))).await?;
            output::credential(desk.format, &MADE, &made, "signing_secret", destination)
        }
        Command::Enable { webhook } => switch(desk, &webhook, true).await,
        Command::Disable { webhook } => switch(desk, &webhook, false).await,
        Command::Delete { webhook, yes } => {
            let found = find(desk, &webhook).await?;
            output::confirm(&format!("{} is told nothing from now on.", text(&found, "url")), &webhook, yes)?;
            desk.ask(Ask::new(Method::DELETE, path_of(&found))).await?;
            output::note(format!("Webhook {webhook} is gone."));
            Ok(())
        }
    }
}

async fn switch(desk: &Desk, named: &str, enabled: bool) -> Result<(), Failure> {
    let found = find(desk, named).await?;
    let seen = found.get("edit").map(|edit| format!("\"{edit}\""));
    let patch = Ask::new(Method::PATCH, path_of(&found)).if_match(seen).json(&json!({ "enabled": enabled }));
    let now = desk.ask(patch).await?;
    output::object(desk.format, &COLUMNS, &now);
    Ok(())
}

/// The webhook with this id or this URL.
async fn find(desk: &Desk, named: &str) -> Result<Value, Failure> {
    let all = desk.list(PATH).await?;
    let mut found = all.into_iter().filter(|one| text(one, "id") == named || text(one, "url") == named);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(Failure::refused(format!("several webhooks lead to {named}; name one by its id")))
        }
        (None, _) => Err(Failure::refused(format!("there is no webhook {named:?}"))),
    }
}

fn path_of(webhook: &Value) -> String {
    format!("{PATH}/{}", text(webhook, "id"))
}
