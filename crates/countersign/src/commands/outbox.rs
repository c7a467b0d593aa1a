//! `countersign outbox`: what is on its way to people and machines, and trying it again.

use clap::{Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::{Desk, listing::text};
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column},
};

const PATH: &str = "/api/v1/deliveries";
const COLUMNS: [Column<'static>; 8] = [
    ("ID", "/id"),
    ("EVENT", "/event"),
    ("CHANNEL", "/channel"),
    ("TO", "/address"),
    ("STATE", "/state"),
    ("TRIES", "/tries"),
    ("NEXT", "/next_at"),
    ("LAST ANSWER", "/reason"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List deliveries, newest first
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<State>,
        /// Only those that travel so
        #[arg(long)]
        channel: Option<Channel>,
        /// Only those that tell of this event, such as token.reset
        #[arg(long)]
        event: Option<String>,
    },
    /// Try a delivery again, at once
    Retry {
        /// Its id; with --all-dead none
        #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
        id: Option<String>,
        /// Every delivery that was given up
        #[arg(long)]
        all_dead: bool,
    },
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum State {
    /// It is tried when its time comes
    Waiting,
    /// Its address has not confirmed itself
    Held,
    /// They have it
    Sent,
    /// It was given up
    Dead,
}

/// How a delivery travels.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Channel {
    /// By e-mail
    Mail,
    /// By a signed HTTP request
    Webhook,
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { state, channel, event } => {
            let asked = [("state", word(state)), ("channel", word(channel)), ("event", event)];
            let query: Vec<String> = asked
                .into_iter()
                .filter_map(|(name, value)| Some(format!("{name}={}", super::listing::query_value(&value?))))
                .collect();
            let path = if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", query.join("&")) };
            output::rows(desk.format, &COLUMNS, &desk.list(&path).await?);
            let outbox = desk.ask(Ask::get("/api/v1/outbox")).await?;
            if outbox.pointer("/mail/open") == Some(&json!(false)) {
                output::note("No mail server is configured: letters wait until one is (see `mail.server`).");
            }
            Ok(())
        }
        Command::Retry { id: Some(id), .. } => {
            retry(desk, &id).await?;
            output::note(format!("Delivery {id} is tried now."));
            Ok(())
        }
        Command::Retry { id: None, .. } => {
            let dead = desk.list(&format!("{PATH}?state=dead")).await?;
            for delivery in &dead {
                retry(desk, text(delivery, "id")).await?;
            }
            output::note(format!("{} deliveries are tried now.", dead.len()));
            Ok(())
        }
    }
}

async fn retry(desk: &Desk, id: &str) -> Result<Value, Failure> {
    if !id.starts_with("dlv_") || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Failure::usage(format!(
            "{id:?} is no id of a delivery; `countersign outbox list` has them"
        )));
    }
    desk.ask(Ask::new(Method::POST, format!("{PATH}/{id}/retry"))).await
}

fn word<T: ValueEnum>(value: Option<T>) -> Option<String> {
    value.and_then(|value| value.to_possible_value()).map(|value| value.get_name().to_owned())
}
