//! `countersign account`: the customers of the platform, by their id or the operator's own id for them.

use clap::{Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::Desk;
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column, Format},
};

const COLUMNS: [Column<'static>; 7] = [
    ("ID", "/id"),
    ("EXTERNAL ID", "/external_id"),
    ("KIND", "/kind"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("API ACCESS", "/api_access"),
    ("LEGACY TOKENS", "/legacy_tokens"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add an account
    Create {
        /// Its name
        name: String,
        /// Its kind in the catalog: brand, agency, partner
        #[arg(long)]
        kind: String,
        /// Your own id for it
        #[arg(long)]
        external_id: String,
        /// Invite this address as its first administrator; prints the one-time link
        #[arg(long)]
        administrator: Option<String>,
    },
    /// List accounts
    List {
        /// Part of the name or of the external id
        #[arg(long)]
        search: Option<String>,
    },
    /// Show one account
    Show {
        /// Its id or external id
        account: String,
    },
    /// Deny every token of an account
    Suspend {
        /// Its id or external id
        account: String,
    },
    /// End a suspension
    Activate {
        /// Its id or external id
        account: String,
    },
    /// Switch API access on or off; off denies every token of the account at once and deletes none
    ApiAccess {
        /// Its id or external id
        account: String,
        /// On or off
        state: Switch,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It works.
    On,
    /// It does not.
    Off,
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { name, kind, external_id, administrator } => {
            let mut body =
                json!({ "name": name, "kind": kind, "external_id": external_id, "api_access": true });
            if let Some(email) = administrator {
                body["administrator"] = json!({ "email": email });
            }
            let made = desk.ask(Ask::new(Method::POST, "/api/v1/accounts").json(&body)).await?;
            show_made(desk, &made);
            Ok(())
        }
        Command::List { search } => {
            let query = search
                .map(|search| format!("?search={}", super::listing::query_value(&search)))
                .unwrap_or_default();
            let accounts = desk.list(&format!("/api/v1/accounts{query}")).await?;
            output::rows(desk.format, &COLUMNS, &accounts);
            Ok(())
        }
        Command::Show { account } => {
            let path = format!("/api/v1/accounts/{}", desk.account_id(&account).await?);
            output::object(desk.format, &COLUMNS, &desk.read(&path).await?.body);
            Ok(())
        }
        Command::Suspend { account } => edit(desk, &account, &json!({ "state": "suspended" })).await,
        Command::Activate { account } => edit(desk, &account, &json!({ "state": "active" })).await,
        Command::ApiAccess { account, state } => {
            let path = format!("/api/v1/accounts/{}/api-access", desk.account_id(&account).await?);
            let ask = Ask::new(Method::POST, path).json(&json!({ "enabled": state == Switch::On }));
            output::object(desk.format, &COLUMNS, &desk.ask(ask).await?);
            Ok(())
        }
    }
}

/// A new account, with the link for its first administrator where one was invited.
fn show_made(desk: &Desk, made: &Value) {
    let account = made.get("account").unwrap_or(made);
    match made.pointer("/invitation/link") {
        Some(link) if desk.format == Format::Table => {
            output::object(desk.format, &COLUMNS, account);
            output::line(format!("LINK           {}", link.as_str().unwrap_or_default()));
        }
        _ if desk.format == Format::Json => output::object(desk.format, &COLUMNS, made),
        _ => output::object(desk.format, &COLUMNS, account),
    }
}

async fn edit(desk: &Desk, named: &str, patch: &Value) -> Result<(), Failure> {
    let path = format!("/api/v1/accounts/{}", desk.account_id(named).await?);
    let etag = desk.read(&path).await?.etag;
    let account = desk.ask(Ask::new(Method::PATCH, path).if_match(etag).json(patch)).await?;
    output::object(desk.format, &COLUMNS, &account);
    Ok(())
}
